import type { Switches } from '../switches.ts';
import type { Calendar, StoredEvent } from './event-record.ts';
import { momentMs } from './moments.ts';
import type { Window } from './recurrence.ts';
import { isSeries, plainOccurrences } from './series.ts';

/** Epoch ms; the start belongs to it, the end does not. */
export type Span = { start: number; end: number };

/** Event types that never block time (facts §2 "Free/busy meaning"). */
const NEVER_BUSY = new Set(['workingLocation', 'birthday']);

/** The busy spans of a calendar between two instants: merged, in order, cut to the range (check 61). */
export function busySpans(
  calendar: Calendar,
  range: Span,
  switches: Pick<Switches, 'freeBusyClipped'>,
): Span[] {
  const window: Window = { endsAfter: range.start, startsBefore: range.end };
  const spans: Span[] = [];
  const add = (event: StoredEvent) => {
    const start = momentMs(event.start, calendar.timeZone);
    const end = momentMs(event.end, calendar.timeZone);
    if (end > range.start && start < range.end) spans.push({ start, end });
  };
  for (const event of calendar.events.values()) {
    if (!blocksTime(event, calendar.id)) continue;
    if (isSeries(event)) plainOccurrences(calendar, event, window).forEach(add);
    else add(event);
  }
  const merged = mergeSpans(spans);
  if (!switches.freeBusyClipped) return merged;
  return merged.map(({ start, end }) => ({
    start: Math.max(start, range.start),
    end: Math.min(end, range.end),
  }));
}

/** Busy is what is opaque, not cancelled and not declined by the owner. */
function blocksTime(event: StoredEvent, calendarId: string): boolean {
  if (event.status === 'cancelled' || event.content.transparency === 'transparent') return false;
  if (NEVER_BUSY.has(event.eventType)) return false;
  const own = event.content.attendees?.find(
    (attendee) => attendee.email.toLowerCase() === calendarId,
  );
  return own?.responseStatus !== 'declined';
}

/** Overlapping and touching spans become one. */
function mergeSpans(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else merged.push({ ...span });
  }
  return merged;
}
