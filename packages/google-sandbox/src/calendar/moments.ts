import { ApiError } from './errors.ts';
import { formatInstant, instantOfWall, isZone } from './zone-offsets.ts';

/** Start or end of an event: a day, or an instant with the zone its wall clock belongs to. */
export type Moment =
  | { allDay: true; date: string }
  | { allDay: false; epochMs: number; timeZone: string };

/** As the API writes it (EventDateTime). */
export type EventDateTime = { date?: string; dateTime?: string; timeZone?: string };

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const FRACTION_AND_OFFSET = /^(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;
const TIME = /^[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/** An RFC 3339 time as wall clock (read as UTC, epoch ms) and offset; undefined when it is none. */
function readRfc3339(text: string): { wallMs: number; offset: string } | undefined {
  const dayMs = dayStart(text);
  if (dayMs === undefined || !TIME.test(text.slice(10, 19))) return undefined;
  const wallMs =
    dayMs + (twoDigits(text, 11) * 3600 + twoDigits(text, 14) * 60 + twoDigits(text, 17)) * 1000;
  if (text.length === 19) return { wallMs, offset: '' };
  if (text.length === 20 && text.endsWith('Z')) return { wallMs, offset: 'Z' };
  const parts = FRACTION_AND_OFFSET.exec(text.slice(19));
  if (parts === null) return undefined;
  const [, fraction, offset = ''] = parts;
  const ms = fraction === undefined ? 0 : Math.floor(Number(`0${fraction}`) * 1000);
  return { wallMs: wallMs + ms, offset: offset.toUpperCase() };
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}

/** Epoch ms of the day that the text begins with; undefined when there is no such day. */
function dayStart(text: string): number | undefined {
  if (!DATE.test(text.slice(0, 10))) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; nobody books there.
  if (year < 100 || month < 1 || month > 12 || day < 1) return undefined;
  const ms = Date.UTC(year, month - 1, day);
  return day <= 28 || new Date(ms).getUTCDate() === day ? ms : undefined;
}

/** Epoch ms of an RFC 3339 time with an offset, as timeMin and timeMax need; undefined otherwise. */
export function instantOfRfc3339(text: string): number | undefined {
  const read = readRfc3339(text);
  if (read === undefined || read.offset === '') return undefined;
  return read.wallMs - offsetMs(read.offset);
}

/** Whether the text is a calendar date that exists. */
export function isDate(text: string): boolean {
  return text.length === 10 && dayStart(text) !== undefined;
}

function offsetMs(offset: string): number {
  if (offset === 'Z') return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

/**
 * Reads start or end of an event body (facts §2 "Times", checks 40–41).
 * @param which how the error messages call it
 * @param needsZone recurring events need a zone even when an offset is given
 * @param calendarZone what an offset-only time gets as its zone
 * @throws ApiError required, invalid
 */
export function readMoment(
  value: unknown,
  which: 'start' | 'end',
  needsZone: boolean,
  calendarZone: string,
): Moment {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError('required', { message: `Missing ${which} time.` });
  }
  const { date, dateTime, timeZone } = value as Record<string, unknown>;
  const invalid = () => new ApiError('invalid', { message: `Invalid ${which} time.` });
  if (date !== undefined && date !== null && dateTime !== undefined && dateTime !== null) {
    throw new ApiError('invalid', { message: BOTH_KINDS });
  }
  if (typeof date === 'string') {
    if (!isDate(date)) throw invalid();
    return { allDay: true, date };
  }
  if (typeof dateTime !== 'string') {
    if ((date ?? dateTime ?? null) !== null) throw invalid();
    throw new ApiError('required', { message: `Missing ${which} time.` });
  }
  const read = readRfc3339(dateTime);
  if (read === undefined) throw invalid();
  const zone = timeZone ?? undefined;
  if (zone !== undefined && (typeof zone !== 'string' || !isZone(zone))) {
    throw new ApiError('invalid', { message: `Invalid time zone definition for ${which} time.` });
  }
  if (zone === undefined && (needsZone || read.offset === '')) {
    throw new ApiError('required', { message: `Missing time zone definition for ${which} time.` });
  }
  const inZone = zone ?? calendarZone;
  const wholeMs = read.wallMs - (read.wallMs % 1000);
  const epochMs =
    read.offset === '' ? instantOfWall(inZone, wholeMs) : wholeMs - offsetMs(read.offset);
  return { allDay: false, epochMs, timeZone: inZone };
}

export const BOTH_KINDS = 'Start and end times must either both be date or both be dateTime.';

/** Epoch ms at which the moment begins; a day begins at midnight of the given zone. */
export function momentMs(moment: Moment, calendarZone: string): number {
  if (!moment.allDay) return moment.epochMs;
  return instantOfWall(calendarZone, Date.parse(`${moment.date}T00:00:00Z`));
}

/** The moment as the API shows it, in the zone of the answer. */
export function renderMoment(moment: Moment, answerZone: string): EventDateTime {
  if (moment.allDay) return { date: moment.date };
  return { dateTime: formatInstant(answerZone, moment.epochMs), timeZone: moment.timeZone };
}

export function sameMoment(a: Moment, b: Moment): boolean {
  if (a.allDay || b.allDay) return a.allDay && b.allDay && a.date === b.date;
  return a.epochMs === b.epochMs && a.timeZone === b.timeZone;
}

/** `20261129T090000Z` or `20261129`: how an occurrence is named in ids and iCalendar. */
export function basicForm(moment: Moment): string {
  if (moment.allDay) return moment.date.replaceAll('-', '');
  return `${new Date(moment.epochMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
