import type { Directory } from '../directory.ts';
import type { CalendarStore } from './calendar-store.ts';
import {
  type Attendee,
  type Calendar,
  type EventContent,
  REPLACED,
  type StoredEvent,
} from './event-record.ts';
import { cancelExceptions } from './series.ts';

/** What the copies of an event need: the calendars, who has an account, and the time. */
type Keeper = { calendars: CalendarStore; directory: Directory; clock: { now(): number } };

/** Whether this is a guest's copy of an event that someone else organizes. */
export function isGuestCopy(calendar: Calendar, event: StoredEvent): boolean {
  return event.organizer.email !== calendar.id;
}

/**
 * Brings the copies in the calendars of guests with an account into line with the organizer's
 * event: made, changed, or cancelled. Each copy keeps what is private to its owner (facts §2:
 * reminders, private extended properties, colour, transparency).
 * @param guestsBefore whose copies go when they are invited no more
 */
export function updateGuestCopies(
  keeper: Keeper,
  calendar: Calendar,
  event: StoredEvent,
  guestsBefore: readonly Attendee[] = [],
): void {
  if (isGuestCopy(calendar, event)) return;
  for (const { email } of event.content.attendees ?? []) copyTo(keeper, calendar, event, email);
  if (guestsBefore.length === 0) return;
  const invited = new Set(emailsOf(event.content.attendees ?? []));
  for (const email of emailsOf(guestsBefore)) {
    const account = invited.has(email) ? undefined : keeper.directory.account(email);
    if (account === undefined) continue;
    const own = keeper.calendars.primaryOf(account);
    const copy = own.events.get(event.id);
    if (copy?.iCalUID === event.iCalUID && isGuestCopy(own, copy)) cancelCopy(keeper, own, copy);
  }
}

function emailsOf(attendees: readonly Attendee[]): string[] {
  return attendees.map((attendee) => attendee.email.toLowerCase());
}

function copyTo(keeper: Keeper, from: Calendar, event: StoredEvent, email: string): void {
  const account = keeper.directory.account(email);
  if (account === undefined || account.email === from.id) return;
  const own = keeper.calendars.primaryOf(account);
  const present = own.events.get(event.id);
  if (present !== undefined && present.iCalUID !== event.iCalUID) return;
  if (event.status === 'cancelled') {
    if (present !== undefined) cancelCopy(keeper, own, present);
    return;
  }
  const content = withPrivatePartOf(event.content, present?.content);
  if (present !== undefined) present.version = REPLACED;
  keeper.calendars.save(own, {
    ...event,
    ordinal: present?.ordinal ?? own.nextOrdinal++,
    reminders: present?.reminders ?? { useDefault: true },
    content,
    formerShapes: present?.formerShapes ?? [],
  });
}

function cancelCopy(keeper: Keeper, calendar: Calendar, copy: StoredEvent): void {
  if (copy.status === 'cancelled') return;
  cancelExceptions(keeper.calendars, calendar, copy, keeper.clock.now());
  copy.status = 'cancelled';
  copy.updatedMs = Math.max(keeper.clock.now(), copy.updatedMs + 1);
  keeper.calendars.save(calendar, copy);
}

/** Shared fields of the organizer's event, private ones of the guest's copy. */
function withPrivatePartOf(shared: EventContent, own: EventContent | undefined): EventContent {
  const { colorId: _color, transparency: _busy, extendedProperties, ...rest } = shared;
  const content: EventContent = rest;
  if (own?.colorId !== undefined) content.colorId = own.colorId;
  const transparency = own === undefined ? shared.transparency : own.transparency;
  if (transparency !== undefined) content.transparency = transparency;
  const properties = {
    ...(extendedProperties?.shared ? { shared: extendedProperties.shared } : {}),
    ...(own?.extendedProperties?.private ? { private: own.extendedProperties.private } : {}),
  };
  if (Object.keys(properties).length > 0) content.extendedProperties = properties;
  return content;
}

/** Fields that a guest may change on the own copy without leave of the organizer. */
const PRIVATE_FIELDS = new Set(['colorId', 'transparency', 'visibility']);

/** Whether a guest's change touches what only the organizer may change. */
export function touchesSharedPart(
  email: string,
  before: StoredEvent,
  after: Pick<StoredEvent, 'start' | 'end' | 'content'>,
): boolean {
  if (before.content.guestsCanModify) return false;
  const shared = ({ start, end, content }: Pick<StoredEvent, 'start' | 'end' | 'content'>) => {
    const { attendees = [], extendedProperties, ...fields } = content;
    const others = attendees.filter((attendee) => attendee.email.toLowerCase() !== email);
    const rest = Object.entries(fields).filter(([name]) => !PRIVATE_FIELDS.has(name));
    return JSON.stringify([start, end, rest.sort(), others, extendedProperties?.shared]);
  };
  return shared(before) !== shared(after);
}

/** Carries a guest's answer to the organizer's event, and from there to the other copies. */
export function answerInvitation(
  keeper: Keeper,
  calendar: Calendar,
  copy: StoredEvent,
  answer: Pick<Attendee, 'responseStatus' | 'comment'>,
): void {
  const organizers = keeper.calendars.byId(copy.organizer.email);
  const event = organizers?.events.get(copy.id);
  if (organizers === undefined || event === undefined || event.iCalUID !== copy.iCalUID) return;
  const attendees = (event.content.attendees ?? []).map((attendee) =>
    attendee.email.toLowerCase() === calendar.id ? { ...attendee, ...answer } : attendee,
  );
  event.content = { ...event.content, attendees };
  event.updatedMs = Math.max(keeper.clock.now(), event.updatedMs + 1);
  keeper.calendars.save(organizers, event);
  updateGuestCopies(keeper, organizers, event);
}
