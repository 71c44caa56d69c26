import type { Clock } from '../clock.ts';
import type { Directory } from '../directory.ts';
import type { Outbox, Sender } from '../mail/outbox.ts';
import { newEventId } from '../random-ids.ts';
import type { CalendarStore } from './calendar-store.ts';
import { applyConference } from './conference.ts';
import { ApiError } from './errors.ts';
import { applyContent, readReminders } from './event-fields.ts';
import {
  type Calendar,
  type EventContent,
  type EventStatus,
  type EventType,
  REPLACED,
  type StoredEvent,
} from './event-record.ts';
import { integer, oneOf, optional, text } from './field-readers.ts';
import {
  answerInvitation,
  isGuestCopy,
  touchesSharedPart,
  updateGuestCopies,
} from './guest-copies.ts';
import {
  BOTH_KINDS,
  type Moment,
  momentMs,
  readMoment,
  renderMoment,
  sameMoment,
} from './moments.ts';
import { assertRecurrence } from './recurrence.ts';
import { cancelExceptions, rememberShape, resendExceptions } from './series.ts';

/** Who writes, and with which options of the request. */
export type Writer = Sender & {
  clock: Clock;
  calendars: CalendarStore;
  directory: Directory;
  outbox: Outbox;
  conferenceDataVersion: number;
};

const NO_SHAPES: StoredEvent['formerShapes'] = [];
const EVENT_ID = /^[a-v0-9]{5,1024}$/;
const readStatus = oneOf('confirmed', 'tentative', 'cancelled');
const readEventType = oneOf(
  'default',
  'birthday',
  'focusTime',
  'fromGmail',
  'outOfOffice',
  'workingLocation',
);

/**
 * events.insert (checks 37–50).
 * @throws ApiError required, invalid, timeRangeEmpty, duplicate, quotaExceeded
 */
export function insertEvent(
  writer: Writer,
  calendar: Calendar,
  body: Record<string, unknown>,
): StoredEvent {
  const givenId = optional(body, 'id', text, 'event');
  if (givenId !== undefined && !EVENT_ID.test(givenId)) {
    throw new ApiError('invalid', { message: 'Invalid resource id value.' });
  }
  const content = readContent(writer, calendar, {}, body);
  const { start, end } = readTimes(calendar, body, content);
  const eventType = optional(body, 'eventType', readEventType, 'event') ?? 'default';
  assertEventType(calendar, eventType);
  const now = writer.clock.now();
  const id = givenId ?? newEventId();
  const taken = calendar.events.get(id);
  if (taken !== undefined && writer.switches.idCollisions === 'detected') {
    throw new ApiError('duplicate');
  }
  const event: StoredEvent = {
    id,
    ordinal: calendar.nextOrdinal++,
    version: 0,
    status: optional(body, 'status', readStatus, 'event') ?? 'confirmed',
    createdMs: now,
    updatedMs: now,
    start,
    end,
    iCalUID: optional(body, 'iCalUID', text, 'event') ?? `${id}@google.com`,
    sequence: optional(body, 'sequence', integer(0, 1_000_000), 'event') ?? 0,
    eventType,
    organizer: calendar.primary
      ? { email: calendar.id }
      : { email: calendar.id, displayName: calendar.summary },
    creator: { email: writer.actor.email },
    reminders:
      (body.reminders ?? null) === null ? { useDefault: true } : readReminders(body.reminders),
    content,
    exception: undefined,
    formerShapes: NO_SHAPES,
  };
  writer.outbox.announce(writer, calendar, undefined, event);
  if (taken !== undefined) taken.version = REPLACED;
  writer.calendars.save(calendar, event);
  updateGuestCopies(writer, calendar, event);
  return event;
}

/**
 * events.patch and events.update (checks 53–55): patch changes what the body names, update resets
 * the rest.
 * @throws ApiError as insertEvent; deleted, forbidden for what is cancelled
 */
export function changeEvent(
  writer: Writer,
  calendar: Calendar,
  event: StoredEvent,
  body: Record<string, unknown>,
  mode: 'patch' | 'update',
): StoredEvent {
  const status = statusAfter(writer, event, body);
  const kept = mode === 'patch' ? event.content : {};
  const content = readContent(writer, calendar, kept, body);
  if (event.exception !== undefined) delete content.recurrence;
  const { start, end } = readTimes(
    calendar,
    mode === 'patch' ? withTimesOf(event, body) : body,
    content,
  );
  const reminders = Object.hasOwn(body, 'reminders')
    ? body.reminders === null
      ? { useDefault: true }
      : readReminders(body.reminders)
    : mode === 'patch'
      ? event.reminders
      : { useDefault: true };
  const eventType = optional(body, 'eventType', readEventType, 'event');
  if (eventType !== undefined && eventType !== event.eventType) {
    throw new ApiError('invalid', { message: 'Event type cannot be changed.' });
  }
  if (
    isGuestCopy(calendar, event) &&
    touchesSharedPart(calendar.id, event, { start, end, content })
  ) {
    throw new ApiError('forbiddenForNonOrganizer');
  }
  const before: StoredEvent = { ...event };
  const moved = !sameMoment(start, event.start) || !sameMoment(end, event.end);
  const recurs = JSON.stringify(content.recurrence) !== JSON.stringify(event.content.recurrence);
  const changed =
    moved || status !== event.status || JSON.stringify(content) !== JSON.stringify(event.content);
  const after: StoredEvent = {
    ...event,
    status,
    start,
    end,
    content,
    reminders,
    sequence: event.sequence + (moved || recurs ? 1 : 0),
    updatedMs: changed ? nextUpdate(writer.clock, event) : event.updatedMs,
  };
  if (!changed && JSON.stringify(reminders) === JSON.stringify(event.reminders)) return event;
  writer.outbox.announce(writer, calendar, before, after);
  if (moved || recurs) rememberShape(calendar, event, after);
  Object.assign(event, after);
  writer.calendars.save(calendar, event);
  if (before.status === 'cancelled') resendExceptions(writer.calendars, calendar, event);
  if (isGuestCopy(calendar, event)) passOnAnswer(writer, calendar, before, event);
  else updateGuestCopies(writer, calendar, event, before.content.attendees);
  return event;
}

/** A guest who answers, answers the organizer. */
function passOnAnswer(
  writer: Writer,
  calendar: Calendar,
  before: StoredEvent,
  after: StoredEvent,
): void {
  const answerIn = (event: StoredEvent) =>
    event.content.attendees?.find((attendee) => attendee.email.toLowerCase() === calendar.id);
  const answer = answerIn(after);
  if (answer === undefined || answer.responseStatus === answerIn(before)?.responseStatus) return;
  const { responseStatus, comment } = answer;
  answerInvitation(writer, calendar, after, {
    responseStatus,
    ...(comment === undefined ? {} : { comment }),
  });
}

/** events.delete. @throws ApiError deleted when it already is */
export function cancelEvent(writer: Writer, calendar: Calendar, event: StoredEvent): void {
  if (event.status === 'cancelled') throw new ApiError('deleted');
  const before: StoredEvent = { ...event };
  const after: StoredEvent = {
    ...event,
    status: 'cancelled',
    updatedMs: nextUpdate(writer.clock, event),
  };
  writer.outbox.announce(writer, calendar, before, after);
  cancelExceptions(writer.calendars, calendar, event, writer.clock.now());
  Object.assign(event, after);
  writer.calendars.save(calendar, event);
  if (isGuestCopy(calendar, event)) {
    answerInvitation(writer, calendar, event, { responseStatus: 'declined' });
  } else updateGuestCopies(writer, calendar, event);
}

/** Strictly after the last change, so that every change has its own etag. */
export function nextUpdate(clock: Clock, event: StoredEvent): number {
  return Math.max(clock.now(), event.updatedMs + 1);
}

function statusAfter(
  writer: Writer,
  event: StoredEvent,
  body: Record<string, unknown>,
): EventStatus {
  const asked = optional(body, 'status', readStatus, 'event');
  if (event.status !== 'cancelled') return asked ?? event.status;
  if (asked === undefined || asked === 'cancelled') throw new ApiError('deleted');
  if (writer.switches.patchOfDeleted === 'forbidden') throw new ApiError('forbidden');
  if (writer.switches.patchOfDeleted === 'gone') throw new ApiError('deleted');
  return asked;
}

function readContent(
  writer: Writer,
  calendar: Calendar,
  before: EventContent,
  body: Record<string, unknown>,
): EventContent {
  const content = applyContent(before, body);
  if (writer.conferenceDataVersion >= 1 && Object.hasOwn(body, 'conferenceData')) {
    applyConference(content, body.conferenceData, writer.clock.now(), writer.switches);
  }
  if (content.recurrence !== undefined) assertRecurrence(content.recurrence, calendar.timeZone);
  return content;
}

function readTimes(
  calendar: Calendar,
  body: Record<string, unknown>,
  content: EventContent,
): { start: Moment; end: Moment } {
  const recurs = content.recurrence !== undefined;
  if ((body.end ?? null) === null) {
    throw new ApiError('required', { message: 'Missing end time.' });
  }
  const start = readMoment(body.start, 'start', recurs, calendar.timeZone);
  const end = readMoment(body.end, 'end', recurs, calendar.timeZone);
  if (start.allDay !== end.allDay) throw new ApiError('invalid', { message: BOTH_KINDS });
  if (momentMs(end, calendar.timeZone) <= momentMs(start, calendar.timeZone)) {
    throw new ApiError('timeRangeEmpty');
  }
  return { start, end };
}

/** A patch may name one half of a time only; the other half is what is stored. */
function withTimesOf(event: StoredEvent, body: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...body };
  for (const which of ['start', 'end'] as const) {
    const moment = event[which];
    const stored = renderMoment(moment, moment.allDay ? 'UTC' : moment.timeZone);
    const given = body[which];
    if (given === undefined) merged[which] = stored;
    else if (typeof given === 'object' && given !== null) {
      merged[which] =
        'dateTime' in given || 'date' in given
          ? { timeZone: stored.timeZone, ...given }
          : { ...withoutOffset(stored), ...given };
    }
  }
  return merged;
}

/** Changing the zone alone keeps the wall clock. */
function withoutOffset(time: { date?: string; dateTime?: string; timeZone?: string }) {
  return time.dateTime === undefined ? time : { ...time, dateTime: time.dateTime.slice(0, 19) };
}

/** Status events live on primary calendars only; fromGmail cannot be made (facts §2 eventType). */
function assertEventType(calendar: Calendar, eventType: EventType): void {
  if (eventType === 'default') return;
  if (eventType === 'fromGmail' || !calendar.primary) {
    throw new ApiError('invalid', { message: 'Invalid value for field: eventType' });
  }
}
