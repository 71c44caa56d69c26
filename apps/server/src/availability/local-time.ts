import { weekdays } from '@calhook/contract';
import { dayMs, dayOfDate, minuteMs, weekdayOf } from './local-days.ts';
import { instantsAt, wallClockAt } from './zone-offsets.ts';

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

const timePattern = /^([01]\d|2[0-3]):([0-5]\d)(?::00)?$/;
const offsetPattern = /^(?:Z|(?!-00:00)([+-])(0\d|1\d|2[0-3]):([0-5]\d))$/;

/** The day that a date names; null when there is none such. */
function parseDate(text: string): number | null {
  try {
    return dayOfDate(text);
  } catch {
    return null;
  }
}

function weekdayName(day: number): string {
  const name = weekdays[weekdayOf(day)] as string;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What an offset adds to UTC, in milliseconds; null when it is none. */
function parseOffset(text: string): number | null {
  const parts = offsetPattern.exec(text);
  if (!parts) return null;
  const [, sign = '+', hours = '0', minutes = '0'] = parts;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * minuteMs;
}

/**
 * The instant of a wall-clock time, in epoch milliseconds, or why it has none.
 *
 * A time that the clocks skip or show twice is a fault, never a guess: a guess is an hour off for
 * somebody (design §4). `timeZone` must be known ({@link timeZoneName}).
 */
export function instantOf(local: LocalTime): number | LocalTimeFault {
  const day = parseDate(local.date);
  if (day === null) return { code: 'invalid_date' };
  const clock = timePattern.exec(local.time);
  if (!clock) return { code: 'invalid_time' };
  if (local.weekday !== undefined) {
    const actual = weekdayName(day);
    if (actual.toLowerCase() !== local.weekday.trim().toLowerCase()) {
      return { code: 'weekday_mismatch', actual };
    }
  }
  const offsetMs = local.offset === undefined ? null : parseOffset(local.offset);
  if (local.offset !== undefined && offsetMs === null) return { code: 'offset_zone_mismatch' };
  const wallMs = day * dayMs + (Number(clock[1]) * 60 + Number(clock[2])) * minuteMs;
  const [earlier, later] = instantsAt(local.timeZone, wallMs);
  if (earlier === undefined) return { code: 'nonexistent_local_time' };
  if (offsetMs === null) return later === undefined ? earlier : { code: 'ambiguous_local_time' };
  const match = [earlier, later].find((instant) => instant === wallMs - offsetMs);
  return match ?? { code: 'offset_zone_mismatch' };
}

/** RFC 3339 with the offset that the zone has at that instant, in whole minutes. */
export function formatDateTime(epochMs: number, timeZone: string): string {
  const wallMs = wallClockAt(timeZone, epochMs);
  const minutes = Math.round(Math.abs(wallMs - epochMs) / minuteMs);
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  const offset = `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
  const wall = new Date(wallMs).toISOString().slice(0, -'.000Z'.length);
  return `${wall}${wallMs < epochMs ? '-' : '+'}${offset}`;
}

/** Languages times zones in use; strangers' tags must not fill the memory. */
const maxFormats = 1_000;
const timeFormats = new Map<string, Intl.DateTimeFormat>();
const choiceFormats = new Map<string, Intl.ListFormat>();

/** The format by its key; made at its first use, which takes as long as a hundred uses of it. */
function formatOf<Format>(formats: Map<string, Format>, key: string, make: () => Format): Format {
  let format = formats.get(key);
  if (format === undefined) {
    format = make();
    if (formats.size >= maxFormats) formats.clear();
    formats.set(key, format);
  }
  return format;
}

/**
 * The time as a chatbot may read it out: "Tuesday, 1 December 2026 at 10:00 (Europe/Berlin)".
 *
 * @param language BCP 47; one that the runtime does not know is written in English
 */
export function describeTime(epochMs: number, timeZone: string, language = 'en'): string {
  const format = formatOf(timeFormats, `${language} ${timeZone}`, () => {
    // Of the Englishes, the one with 24 hours, which no zone or visitor can mistake.
    const locales = [language === 'en' ? 'en-GB' : language, 'en-GB'];
    return new Intl.DateTimeFormat(locales, { dateStyle: 'full', timeStyle: 'short', timeZone });
  });
  return `${format.format(epochMs)} (${timeZone})`;
}

/** Texts to choose from, as a chatbot may read them out: "this, that or another". */
export function describeChoice(texts: readonly string[], language: string): string {
  const format = formatOf(
    choiceFormats,
    language,
    () => new Intl.ListFormat([language, 'en'], { type: 'disjunction' }),
  );
  return format.format(texts);
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
