import { weekdays } from '@calhook/contract';

/** A wall-clock time as a person says it; never without its zone. */
export interface LocalTime {
  /** YYYY-MM-DD */
  readonly date: string;
  /** HH:mm, 00:00 to 23:59 */
  readonly time: string;
  /** IANA zone. */
  readonly timeZone: string;
  /** UTC offset such as `+02:00` or `Z`; tells which of two equal local times is meant. */
  readonly offset?: string | undefined;
  /** English weekday, checked against the date. */
  readonly weekday?: string | undefined;
}

export type LocalTimeFault =
  | { readonly code: 'invalid_date' | 'invalid_time' }
  | { readonly code: 'nonexistent_local_time' | 'ambiguous_local_time' | 'offset_zone_mismatch' }
  | { readonly code: 'weekday_mismatch'; readonly actual: string };

const datePattern = /^\d{4}-\d{2}-\d{2}$/;
const timePattern = /^([01]\d|2[0-3]):([0-5]\d)(?::00)?$/;
const offsetPattern = /^(?:Z|[+-](?:0\d|1\d|2[0-3]):[0-5]\d)$/;

function parseDate(text: string): Temporal.PlainDate | null {
  if (!datePattern.test(text)) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return null;
  }
}

function weekdayName(date: Temporal.PlainDate): string {
  const name = weekdays[date.dayOfWeek - 1] as string;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/**
 * The instant of a wall-clock time, in epoch milliseconds, or why it has none.
 *
 * A time that the clocks skip or show twice is a fault, never a guess: a guess is an hour off for
 * somebody (design §4). `timeZone` must be known ({@link timeZoneName}).
 */
export function instantOf(local: LocalTime): number | LocalTimeFault {
  const date = parseDate(local.date);
  if (!date) return { code: 'invalid_date' };
  const clock = timePattern.exec(local.time);
  if (!clock) return { code: 'invalid_time' };
  if (local.weekday !== undefined) {
    const actual = weekdayName(date);
    if (actual.toLowerCase() !== local.weekday.trim().toLowerCase()) {
      return { code: 'weekday_mismatch', actual };
    }
  }
  if (local.offset !== undefined && !offsetPattern.test(local.offset)) {
    return { code: 'offset_zone_mismatch' };
  }
  const wall = date.toPlainDateTime({ hour: Number(clock[1]), minute: Number(clock[2]) });
  if (local.offset === undefined) {
    try {
      return wall.toZonedDateTime(local.timeZone, { disambiguation: 'reject' }).epochMilliseconds;
    } catch {
      // Skipped or shown twice: which of the two is found out below.
    }
  }
  const earlier = wall.toZonedDateTime(local.timeZone, { disambiguation: 'earlier' });
  if (!earlier.toPlainDateTime().equals(wall)) return { code: 'nonexistent_local_time' };
  if (local.offset === undefined) return { code: 'ambiguous_local_time' };
  const later = wall.toZonedDateTime(local.timeZone, { disambiguation: 'later' });
  const wanted = local.offset === 'Z' ? '+00:00' : local.offset;
  const match = [earlier, later].find((candidate) => candidate.offset === wanted);
  return match ? match.epochMilliseconds : { code: 'offset_zone_mismatch' };
}

/** RFC 3339 with the offset that the zone has at that instant. */
export function formatDateTime(epochMs: number, timeZone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMs)
    .toZonedDateTimeISO(timeZone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

const sentenceFormats = new Map<string, Intl.DateTimeFormat>();
/** Languages times zones in use; strangers' tags must not fill the memory. */
const maxSentenceFormats = 1_000;

/**
 * The time as a chatbot may read it out: "Tuesday, 1 December 2026 at 10:00 (Europe/Berlin)".
 *
 * @param language BCP 47; one that the runtime does not know is written in English
 */
export function describeTime(epochMs: number, timeZone: string, language = 'en'): string {
  const key = `${language} ${timeZone}`;
  let format = sentenceFormats.get(key);
  if (!format) {
    // Of the Englishes, the one with 24 hours, which no zone or visitor can mistake.
    const locales = [language === 'en' ? 'en-GB' : language, 'en-GB'];
    format = new Intl.DateTimeFormat(locales, { dateStyle: 'full', timeStyle: 'short', timeZone });
    if (sentenceFormats.size >= maxSentenceFormats) sentenceFormats.clear();
    sentenceFormats.set(key, format);
  }
  return `${format.format(epochMs)} (${timeZone})`;
}

/** The tag as BCP 47 writes it; null when it is none. */
export function languageTag(text: string): string | null {
  try {
    return Intl.getCanonicalLocales(text)[0] ?? null;
  } catch {
    return null;
  }
}

/** Wall-clock date and time of an instant: YYYY-MM-DD and HH:mm. */
export function wallClockOf(epochMs: number, timeZone: string): { date: string; time: string } {
  const text = formatDateTime(epochMs, timeZone);
  return { date: text.slice(0, 10), time: text.slice(11, 16) };
}
