import { type CalendarEvent, GoogleError } from '../google/index.ts';

/** Epoch milliseconds; the end is outside. */
export interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What the mirror reads of an event of Google. */
export interface ReadEvent {
  readonly eventId: string;
  /** The series that it is an occurrence of. */
  readonly seriesId: string | null;
  readonly cancelled: boolean;
  /** When it takes place; null when Google does not tell (deleted events have an id, no more). */
  readonly span: Span | null;
  /** Whether the owner is busy by it. */
  readonly busy: boolean;
  /** The appointment that it is marked with. */
  readonly appointmentId: string | null;
  readonly etag: string | null;
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly updatedAt: number | null;
}

/** The private property by which the event of an appointment is known (facts/google.md §3). */
export const appointmentProperty = 'calhookAppointmentId';

/** Types of events that tell where or who, and take no time (facts/google.md §2, Free/busy meaning). */
const neverBusy: ReadonlySet<unknown> = new Set(['workingLocation', 'birthday']);
/** What an event without an end lasts. */
const openEndMs = 3_600_000;
/** How far a zone can be ahead of UTC, and behind it, in milliseconds. */
const mostAheadMs = 14 * 3_600_000;
const mostBehindMs = 12 * 3_600_000;

/**
 * Reads an event as Google's own free/busy would: tentative is busy; cancelled, transparent and
 * declined by the owner are free; a whole day lies in the zone of the calendar.
 *
 * @throws {GoogleError} `unreadable_event` when it stands and cannot be placed in time: then the
 *   calendar counts as unread, not as free
 */
export function readEvent(event: CalendarEvent, calendarZone: string | null): ReadEvent {
  const { id, status, transparency, eventType, attendees } = event;
  const cancelled = status === 'cancelled';
  const span = spanOf(event, calendarZone);
  if (!id || (!cancelled && span === null)) {
    const reason = 'unreadable_event';
    throw new GoogleError('events.list', { kind: 'refused', status: 200, reason });
  }
  const declined = attendees?.some(({ self, responseStatus }) => {
    return self && responseStatus === 'declined';
  });
  const free = cancelled || transparency === 'transparent' || declined || neverBusy.has(eventType);
  return {
    eventId: id,
    seriesId: event.recurringEventId ?? null,
    cancelled,
    span,
    // What has no length keeps nobody from anything.
    busy: !free && span !== null && span.endsAt > span.startsAt,
    appointmentId: event.extendedProperties?.private?.[appointmentProperty] ?? null,
    etag: event.etag ?? null,
    sequence: event.sequence ?? 0,
    updatedAt: event.updated ? Date.parse(event.updated) : null,
  };
}

/** Ids of occurrences are those of their series and the original start (facts/google.md §2). */
const occurrenceId = /._R?\d{8}(T\d{6}Z?)?$/;

/**
 * Whether an event belongs to a series. What changed of a series is not told in full: a deleted one
 * is told of for half a year ahead (https://github.com/googleapis/google-api-ruby-client/issues/860).
 */
export function isOfSeries(event: ReadEvent): boolean {
  return event.seriesId !== null || occurrenceId.test(event.eventId);
}

function spanOf({ start, end }: CalendarEvent, calendarZone: string | null): Span | null {
  if (start?.date) {
    const day = plainDate(start.date);
    if (!day) return null;
    const after = (end?.date && plainDate(end.date)) || day.add({ days: 1 });
    const whole = Temporal.PlainDate.compare(after, day) > 0 ? after : day.add({ days: 1 });
    return {
      startsAt: startOfDay(day, calendarZone) ?? utcMidnight(day) - mostAheadMs,
      endsAt: startOfDay(whole, calendarZone) ?? utcMidnight(whole) + mostBehindMs,
    };
  }
  const startsAt = instantOf(start, calendarZone);
  if (startsAt === null) return null;
  const endsAt = end?.dateTime ? instantOf(end, calendarZone) : startsAt + openEndMs;
  return endsAt === null ? null : { startsAt, endsAt };
}

function plainDate(text: string): Temporal.PlainDate | null {
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    return null;
  }
}

const utcMidnight = (day: Temporal.PlainDate) => day.toZonedDateTime('UTC').epochMilliseconds;

/** The first instant of a day; null in a zone that is not known here: then every zone's day is taken. */
function startOfDay(day: Temporal.PlainDate, timeZone: string | null): number | null {
  try {
    return timeZone === null ? null : day.toZonedDateTime(timeZone).epochMilliseconds;
  } catch {
    return null;
  }
}

/** Google writes an offset; where there is none, the zone beside it counts (facts/google.md §2, Times). */
function instantOf(moment: CalendarEvent['start'], calendarZone: string | null): number | null {
  const text = moment?.dateTime ?? '';
  if (/(?:Z|[+-]\d\d:\d\d)$/.test(text)) {
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? null : ms;
  }
  try {
    const wall = Temporal.PlainDateTime.from(text);
    return wall.toZonedDateTime(moment?.timeZone ?? calendarZone ?? '').epochMilliseconds;
  } catch {
    return null;
  }
}
