import { ApiError } from './errors.ts';
import { formatInstant, instantOfWall, isZone } from './zone-offsets.ts';

/** Start or end of an event: a day, or an instant with the zone its wall clock belongs to. */
export type Moment =
  | { allDay: true; date: string }
  | { allDay: false; epochMs: number; timeZone: string };

/** As the API writes it (EventDateTime). */
export type EventDateTime = { date?: string; dateTime?: string; timeZone?: string };

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/i;

/** An RFC 3339 time as wall clock (read as UTC, epoch ms) and offset; undefined when it is none. */
function readRfc3339(text: string): { wallMs: number; offset: string } | undefined {
  const parts = DATE_TIME.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', offset = ''] = parts;
  const date = `${year}-${month}-${day}`;
  if (!isDate(date) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    return undefined;
  }
  const wallMs = Date.parse(`${date}T${hour}:${minute}:${second}Z`);
  const ms = Math.floor(Number(`0${fraction}`) * 1000);
  return { wallMs: wallMs + ms, offset: offset.toUpperCase() };
}

/** Epoch ms of an RFC 3339 time with an offset, as timeMin and timeMax need; undefined otherwise. */
export function instantOfRfc3339(text: string): number | undefined {
  const read = readRfc3339(text);
  if (read === undefined || read.offset === '') return undefined;
  return read.wallMs - offsetMs(read.offset);
}

/** Whether the text is a calendar date that exists. */
export function isDate(text: string): boolean {
  const parts = DATE.exec(text);
  if (parts === null) return false;
  const [, year, month, day] = parts.map(Number) as [number, number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1;
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
