import type { Switches } from '../switches.ts';
import type { Calendar, StoredEvent } from './event-record.ts';
import type { ListQuery } from './list-query.ts';
import { momentMs } from './moments.ts';
import type { Window } from './recurrence.ts';
import { hasOccurrence, isSeries, plainOccurrences } from './series.ts';

/** The window of a query; open sides are infinite. */
function windowOf(query: ListQuery): Window {
  return {
    endsAfter: query.timeMin ?? Number.NEGATIVE_INFINITY,
    startsBefore: query.timeMax ?? Number.POSITIVE_INFINITY,
  };
}

/** Every event a full list shows, in its order (checks 56, 58, 59). */
export function fullList(calendar: Calendar, query: ListQuery, switches: Switches): StoredEvent[] {
  const window = windowOf(query);
  const found: StoredEvent[] = [];
  for (const event of calendar.events.values()) {
    if (isSeries(event) && query.singleEvents) {
      if (event.status === 'cancelled') continue;
      for (const single of plainOccurrences(calendar, event, window)) {
        if (passes(single, query, switches)) found.push(single);
      }
      continue;
    }
    if (!isShown(calendar, event, query) || !passes(event, query, switches)) continue;
    if (inWindow(calendar, event, window)) found.push(event);
  }
  return ordered(calendar, found, query.orderBy);
}

/**
 * Cancelled events show with showDeleted; cancelled exceptions also when neither showDeleted nor
 * singleEvents is set and their series lives, so that a client can expand series itself (reference:
 * showDeleted).
 */
function isShown(calendar: Calendar, event: StoredEvent, query: ListQuery): boolean {
  if (event.status !== 'cancelled' || query.showDeleted) return true;
  if (event.exception === undefined || query.singleEvents) return false;
  return calendar.events.get(event.exception.seriesId)?.status !== 'cancelled';
}

function inWindow(calendar: Calendar, event: StoredEvent, window: Window): boolean {
  if (isSeries(event)) return hasOccurrence(calendar, event, window);
  return (
    momentMs(event.end, calendar.timeZone) > window.endsAfter &&
    momentMs(event.start, calendar.timeZone) < window.startsBefore
  );
}

function passes(event: StoredEvent, query: ListQuery, switches: Switches): boolean {
  if (query.iCalUID !== undefined && event.iCalUID !== query.iCalUID) return false;
  if (query.updatedMin !== undefined && event.updatedMs < query.updatedMin) return false;
  if (query.eventTypes.length > 0 && !query.eventTypes.includes(event.eventType)) return false;
  if (query.search !== undefined && !mentions(event, query.search)) return false;
  const any = switches.repeatedExtendedProperty === 'or' ? 'some' : 'every';
  const { private: own, shared } = event.content.extendedProperties ?? {};
  return (
    hasProperties(own, query.privateProperties, any) &&
    hasProperties(shared, query.sharedProperties, any)
  );
}

function hasProperties(
  properties: Record<string, string> | undefined,
  wanted: [string, string][],
  how: 'some' | 'every',
): boolean {
  if (wanted.length === 0) return true;
  return wanted[how](
    ([key, value]) =>
      properties !== undefined && Object.hasOwn(properties, key) && properties[key] === value,
  );
}

/** Free text: every word in one of the fields that the reference names. */
function mentions(event: StoredEvent, search: string): boolean {
  const { summary, description, location, attendees = [] } = event.content;
  const haystack = [
    summary,
    description,
    location,
    event.organizer.email,
    event.organizer.displayName,
    ...attendees.flatMap((attendee) => [attendee.email, attendee.displayName]),
  ]
    .join('\n')
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

function ordered(
  calendar: Calendar,
  events: StoredEvent[],
  orderBy: ListQuery['orderBy'],
): StoredEvent[] {
  if (orderBy === 'updated') {
    return events.sort((a, b) => a.updatedMs - b.updatedMs || a.ordinal - b.ordinal);
  }
  if (orderBy === 'startTime') {
    const startOf = (event: StoredEvent) => momentMs(event.start, calendar.timeZone);
    return events.sort((a, b) => startOf(a) - startOf(b) || a.ordinal - b.ordinal);
  }
  return events;
}

/** Every event that changed after a version, oldest change first, cancelled ones included. */
export function changesSince(calendar: Calendar, version: number, query: ListQuery): StoredEvent[] {
  const changed = new Map<string, StoredEvent>();
  for (const event of changedEvents(calendar, version)) {
    if (query.eventTypes.length > 0 && !query.eventTypes.includes(event.eventType)) continue;
    const isPlain = !isSeries(event) && event.formerShapes.length === 0;
    if (isPlain || !query.singleEvents) changed.set(event.id, event);
    else addSeriesChanges(changed, calendar, event, version);
  }
  return [...changed.values()];
}

function changedEvents(calendar: Calendar, version: number): StoredEvent[] {
  const { changes } = calendar;
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.version ?? 0) <= version) low = middle + 1;
    else high = middle;
  }
  return changes
    .slice(low)
    .filter((entry) => entry.version === entry.event.version)
    .map((entry) => entry.event);
}

const EVERYTHING: Window = {
  endsAfter: Number.NEGATIVE_INFINITY,
  startsBefore: Number.POSITIVE_INFINITY,
};

/** A follower that holds single occurrences needs the new ones, and the end of the old ones. */
function addSeriesChanges(
  changed: Map<string, StoredEvent>,
  calendar: Calendar,
  event: StoredEvent,
  version: number,
): void {
  const gone = new Map<string, StoredEvent>();
  for (const shape of event.formerShapes) {
    if (shape.heldUntilVersion < version) continue;
    const { recurrence: _now, ...content } = event.content;
    const former: StoredEvent = {
      ...event,
      start: shape.start,
      end: shape.end,
      content:
        shape.recurrence === undefined ? content : { ...content, recurrence: shape.recurrence },
    };
    for (const single of singlesOf(calendar, former)) gone.set(single.id, single);
  }
  for (const single of singlesOf(calendar, event)) {
    gone.delete(single.id);
    const { status } = event;
    changed.set(single.id, status === 'cancelled' ? { ...single, status } : single);
  }
  for (const [id, single] of gone) {
    if (!changed.has(id)) changed.set(id, { ...single, status: 'cancelled' });
  }
}

/** What a list with singleEvents shows of an event: itself, or its plain occurrences. */
function* singlesOf(calendar: Calendar, event: StoredEvent): Generator<StoredEvent> {
  if (isSeries(event)) yield* plainOccurrences(calendar, event, EVERYTHING);
  else yield event;
}
