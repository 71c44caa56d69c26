import type { AccessRole } from '../directory.ts';
import { isoMilliseconds } from '../iso-text.ts';
import type { Calendar, EventResource, StoredEvent } from './event-record.ts';
import { renderMoment } from './moments.ts';

/** Who looks, and in which zone times are to be shown. */
export type View = {
  role: AccessRole;
  /** Default: the calendar's zone. */
  timeZone?: string | undefined;
  maxAttendees?: number | undefined;
  /** Epoch ms, for what shows only after a while (Meet links). */
  now: number;
};

/** `"3…"`: twice the time of the last change in microseconds, as Google's event etags look. */
export function etagOf(event: StoredEvent): string {
  return `"${event.updatedMs * 2000}"`;
}

/** The event as the API shows it to this viewer (facts §2 "Response extras", check 37). */
export function renderEvent(calendar: Calendar, event: StoredEvent, view: View): EventResource {
  const { content } = event;
  const zone = view.timeZone ?? calendar.timeZone;
  const hidden = isHiddenFrom(event, view.role);
  const resource: Partial<EventResource> = {
    kind: 'calendar#event',
    etag: etagOf(event),
    id: event.id,
    status: event.status,
    htmlLink: htmlLinkOf(calendar, event),
    created: isoMilliseconds(event.createdMs),
  };
  resource.updated =
    event.updatedMs === event.createdMs
      ? (resource.created as string)
      : isoMilliseconds(event.updatedMs);
  if (!hidden) {
    if (content.summary !== undefined) resource.summary = content.summary;
    if (content.description !== undefined) resource.description = content.description;
    if (content.location !== undefined) resource.location = content.location;
    if (content.colorId !== undefined) resource.colorId = content.colorId;
  }
  resource.creator = withSelf(event.creator, calendar.id);
  resource.organizer = withSelf(event.organizer, calendar.id);
  resource.start = renderMoment(event.start, zone);
  resource.end = renderMoment(event.end, zone);
  if (content.recurrence !== undefined) resource.recurrence = content.recurrence;
  if (event.exception !== undefined) {
    resource.recurringEventId = event.exception.seriesId;
    resource.originalStartTime = renderMoment(event.exception.originalStart, zone);
  }
  if (content.transparency !== undefined) resource.transparency = content.transparency;
  if (content.visibility !== undefined) resource.visibility = content.visibility;
  resource.iCalUID = event.iCalUID;
  resource.sequence = event.sequence;
  if (!hidden) addDetails(resource, calendar, event, view);
  resource.reminders = event.reminders;
  resource.eventType = event.eventType;
  return resource as EventResource;
}

type ShownAttendee = NonNullable<EventResource['attendees']>[number];

function addDetails(
  resource: Partial<EventResource>,
  calendar: Calendar,
  event: StoredEvent,
  view: View,
): void {
  const { content } = event;
  if (content.attendees !== undefined) {
    const organizer = event.organizer.email.toLowerCase();
    const shown = content.attendees.map((attendee): ShownAttendee => {
      const email = attendee.email.toLowerCase();
      const isOrganizer = email === organizer;
      const isSelf = email === calendar.id;
      if (!isOrganizer && !isSelf) return attendee;
      return {
        ...attendee,
        ...(isOrganizer ? { organizer: true as const } : {}),
        ...(isSelf ? { self: true as const } : {}),
      };
    });
    // With too many to show, only the own entry stays (reference: maxAttendees).
    if (view.maxAttendees !== undefined && shown.length > view.maxAttendees) {
      resource.attendees = shown.filter((attendee) => attendee.self);
      resource.attendeesOmitted = true;
    } else resource.attendees = shown;
  }
  if (content.extendedProperties !== undefined) {
    resource.extendedProperties = content.extendedProperties;
  }
  addConference(resource, content.conferenceData, view.now);
  if (content.anyoneCanAddSelf !== undefined) resource.anyoneCanAddSelf = true;
  if (content.guestsCanInviteOthers !== undefined) resource.guestsCanInviteOthers = false;
  if (content.guestsCanModify !== undefined) resource.guestsCanModify = true;
  if (content.guestsCanSeeOtherGuests !== undefined) resource.guestsCanSeeOtherGuests = false;
  if (content.source !== undefined) resource.source = content.source;
  if (content.attachments !== undefined) resource.attachments = content.attachments;
  for (const name of TYPE_PROPERTIES) {
    const value = content[name];
    if (value !== undefined) resource[name] = value;
  }
}

const TYPE_PROPERTIES = [
  'workingLocationProperties',
  'outOfOfficeProperties',
  'focusTimeProperties',
  'birthdayProperties',
] as const;

/** A pending link shows as pending until its time has come (facts §2 conferenceData, check 46). */
function addConference(
  resource: Partial<EventResource>,
  conference: Record<string, unknown> | undefined,
  now: number,
): void {
  if (conference === undefined) return;
  const { readyAtMs, link, ...shown } = conference as {
    readyAtMs?: number;
    link?: string;
    createRequest?: Record<string, unknown>;
  };
  if (link === undefined) {
    resource.conferenceData = shown;
    return;
  }
  const ready = readyAtMs === undefined || readyAtMs <= now;
  const createRequest = {
    ...shown.createRequest,
    status: { statusCode: ready ? 'success' : 'pending' },
  };
  if (!ready) {
    resource.conferenceData = { createRequest };
    return;
  }
  resource.hangoutLink = link;
  resource.conferenceData = {
    createRequest,
    entryPoints: [{ entryPointType: 'video', uri: link, label: link.replace('https://', '') }],
    conferenceSolution: { key: { type: 'hangoutsMeet' }, name: 'Google Meet' },
    conferenceId: link.slice(link.lastIndexOf('/') + 1),
  };
}

function isHiddenFrom(event: StoredEvent, role: AccessRole): boolean {
  if (role === 'freeBusyReader') return true;
  const isPrivate =
    event.content.visibility === 'private' || event.content.visibility === 'confidential';
  return isPrivate && role === 'reader';
}

function withSelf<Person extends { email: string }>(
  person: Person,
  calendarId: string,
): Person & { self?: true } {
  return person.email === calendarId ? { ...person, self: true } : { ...person };
}

/** `…/calendar/event?eid=base64("<id> <calendar>")`. */
function htmlLinkOf(calendar: Calendar, event: StoredEvent): string {
  const eid = Buffer.from(`${event.id} ${calendar.id}`).toString('base64').replace(/=+$/, '');
  return `https://www.google.com/calendar/event?eid=${eid}`;
}
