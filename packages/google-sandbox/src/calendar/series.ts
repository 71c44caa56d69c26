import type { CalendarStore } from './calendar-store.ts';
import type { Calendar, StoredEvent } from './event-record.ts';
import { basicForm, type Moment, momentMs } from './moments.ts';
import { type Occurrence, occurrences, type Window } from './recurrence.ts';

/** A series is an event with a recurrence; its occurrences have ids `<series>_<original start>`. */
export function isSeries(event: StoredEvent): boolean {
  return event.content.recurrence !== undefined;
}

/** The occurrence as an event of its own, not yet stored. */
function occurrenceEvent(series: StoredEvent, occurrence: Occurrence): StoredEvent {
  const { recurrence: _recurrence, ...content } = series.content;
  return {
    ...series,
    id: `${series.id}_${basicForm(occurrence.start)}`,
    start: occurrence.start,
    end: occurrence.end,
    content,
    exception: { seriesId: series.id, originalStart: occurrence.start },
    formerShapes: [],
  };
}

/** The occurrences of a series in a window that were not changed apart from it. */
export function* plainOccurrences(
  calendar: Calendar,
  series: StoredEvent,
  window: Window,
): Generator<StoredEvent> {
  const apart = calendar.exceptions.get(series.id);
  for (const occurrence of occurrences(shapeOf(series), calendar.timeZone, window)) {
    if (apart?.has(basicForm(occurrence.start))) continue;
    yield occurrenceEvent(series, occurrence);
  }
}

/** Whether any occurrence, plain or not, lies in the window. */
export function hasOccurrence(calendar: Calendar, series: StoredEvent, window: Window): boolean {
  const first = occurrences(shapeOf(series), calendar.timeZone, window).next();
  return first.done === false;
}

/** The event with this id: stored, or an occurrence of a series that has it. */
export function findEvent(calendar: Calendar, id: string): StoredEvent | undefined {
  const stored = calendar.events.get(id);
  if (stored !== undefined) return stored;
  const parts = /^(.+)_(\d{8}(?:T\d{6}Z)?)$/.exec(id);
  if (parts === null) return undefined;
  const [, seriesId = '', basic = ''] = parts;
  const series = calendar.events.get(seriesId);
  if (series === undefined || !isSeries(series)) return undefined;
  const moment = momentOf(basic);
  if (moment === undefined) return undefined;
  const startMs = momentMs(moment, calendar.timeZone);
  const window: Window = { endsAfter: startMs, startsBefore: startMs + 1 };
  for (const occurrence of occurrences(shapeOf(series), calendar.timeZone, window)) {
    if (basicForm(occurrence.start) === basic) return occurrenceEvent(series, occurrence);
  }
  return undefined;
}

function momentOf(basic: string): Moment | undefined {
  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})Z)?$/.exec(basic) ?? [];
  const epochMs = Date.parse(`${y}-${mo}-${d}T${h ?? '00'}:${mi ?? '00'}:${s ?? '00'}Z`);
  if (Number.isNaN(epochMs)) return undefined;
  if (h === undefined) return { allDay: true, date: `${y}-${mo}-${d}` };
  return { allDay: false, epochMs, timeZone: 'UTC' };
}

/** Makes an occurrence a stored event of its own, so that it can be changed. */
export function detach(calendar: Calendar, event: StoredEvent): StoredEvent {
  if (event.exception === undefined || calendar.events.has(event.id)) return event;
  return { ...event, ordinal: calendar.nextOrdinal++ };
}

/** Keeps what an event looked like before it became, ceased to be or changed as a series. */
export function rememberShape(calendar: Calendar, before: StoredEvent, after: StoredEvent): void {
  if (before.content.recurrence === undefined && after.content.recurrence === undefined) return;
  after.formerShapes = [
    ...before.formerShapes,
    {
      start: before.start,
      end: before.end,
      recurrence: before.content.recurrence,
      heldUntilVersion: calendar.version,
    },
  ];
}

/** Sends the exceptions of a restored series again, to followers that dropped them with it. */
export function resendExceptions(
  calendars: CalendarStore,
  calendar: Calendar,
  series: StoredEvent,
): void {
  for (const exception of calendar.exceptions.get(series.id)?.values() ?? []) {
    calendars.save(calendar, exception);
  }
}

/** With a series go its exceptions; before it, so that followers hear of its own end last. */
export function cancelExceptions(
  calendars: CalendarStore,
  calendar: Calendar,
  series: StoredEvent,
  now: number,
): void {
  if (series.exception !== undefined) return;
  for (const exception of calendar.exceptions.get(series.id)?.values() ?? []) {
    if (exception.status === 'cancelled') continue;
    exception.status = 'cancelled';
    exception.updatedMs = Math.max(now, exception.updatedMs + 1);
    calendars.save(calendar, exception);
  }
}

export function shapeOf(series: StoredEvent): {
  start: Moment;
  end: Moment;
  recurrence: string[];
} {
  return { start: series.start, end: series.end, recurrence: series.content.recurrence ?? [] };
}

/** events.instances: every occurrence of a series, changed ones in their places. */
export function instancesOf(
  calendar: Calendar,
  series: StoredEvent,
  query: { timeMin: number | undefined; timeMax: number | undefined; showDeleted: boolean },
): StoredEvent[] {
  const window: Window = {
    endsAfter: query.timeMin ?? Number.NEGATIVE_INFINITY,
    startsBefore: query.timeMax ?? Number.POSITIVE_INFINITY,
  };
  const changed = [...(calendar.exceptions.get(series.id)?.values() ?? [])].filter((event) => {
    if (event.status === 'cancelled' && !query.showDeleted) return false;
    return (
      momentMs(event.end, calendar.timeZone) > window.endsAfter &&
      momentMs(event.start, calendar.timeZone) < window.startsBefore
    );
  });
  const plain = series.status === 'cancelled' ? [] : plainOccurrences(calendar, series, window);
  const startOf = (event: StoredEvent) =>
    momentMs(event.exception?.originalStart ?? event.start, calendar.timeZone);
  return [...plain, ...changed].sort((a, b) => startOf(a) - startOf(b));
}
