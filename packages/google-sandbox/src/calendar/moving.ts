import { ApiError } from './errors.ts';
import type { Calendar, StoredEvent } from './event-record.ts';
import { isGuestCopy, updateGuestCopies } from './guest-copies.ts';
import { cancelExceptions } from './series.ts';
import { nextUpdate, type Writer } from './writing.ts';

/**
 * events.move: the event goes to another calendar, whose owner becomes its organizer; the old
 * calendar keeps a tombstone. Only whole events of type default can move (reference).
 * @throws ApiError invalid, duplicate, deleted
 */
export function moveEvent(
  writer: Writer,
  from: Calendar,
  event: StoredEvent,
  to: Calendar,
): StoredEvent {
  if (event.status === 'cancelled') throw new ApiError('deleted');
  if (event.eventType !== 'default' || event.exception !== undefined) {
    throw new ApiError('invalid', { message: 'This event cannot be moved.' });
  }
  if (isGuestCopy(from, event)) throw new ApiError('forbiddenForNonOrganizer');
  if (from === to) return event;
  if (to.events.has(event.id)) throw new ApiError('duplicate');
  const updatedMs = nextUpdate(writer.clock, event);
  const moved: StoredEvent = {
    ...event,
    ordinal: to.nextOrdinal++,
    updatedMs,
    organizer: to.primary ? { email: to.id } : { email: to.id, displayName: to.summary },
    formerShapes: [],
  };
  const exceptions = [...(from.exceptions.get(event.id)?.values() ?? [])].map((exception) => ({
    ...exception,
    organizer: moved.organizer,
  }));
  cancelExceptions(writer.calendars, from, event, updatedMs);
  Object.assign(event, { status: 'cancelled', updatedMs });
  writer.calendars.save(from, event);
  writer.calendars.save(to, moved);
  for (const exception of exceptions) {
    writer.calendars.save(to, { ...exception, ordinal: to.nextOrdinal++ });
  }
  updateGuestCopies(writer, to, moved);
  return moved;
}
