import type { Calendar, EventResource } from './calendar/event-record.ts';
import { renderEvent } from './calendar/event-rendering.ts';
import { detach, findEvent } from './calendar/series.ts';
import { cancelEvent, changeEvent, insertEvent, type Writer } from './calendar/writing.ts';
import type { SendUpdates } from './mail/message.ts';
import type { World } from './world.ts';

/** The calendar of an account. @throws TypeError when there is none */
function calendarOf(world: World, email: string, calendarId: string): Calendar {
  const account = world.directory.account(email);
  if (account === undefined) throw new TypeError(`There is no account ${email}.`);
  const found = world.calendars.find(account, calendarId);
  if (found === undefined) throw new TypeError(`${email} has no calendar ${calendarId}.`);
  return found.calendar;
}

/** Every stored event of a calendar, cancelled ones included, as the API shows them to the owner. */
export function storedEvents(world: World, email: string, calendarId = 'primary'): EventResource[] {
  const calendar = calendarOf(world, email, calendarId);
  const view = { role: 'owner', now: world.clock.now() } as const;
  return [...calendar.events.values()].map((event) => renderEvent(calendar, event, view));
}

/**
 * What the owner does in Google's own pages: makes an event, changes one (when the id is known), or
 * deletes one (`status: 'cancelled'`).
 * @throws ApiError as the API would refuse it; TypeError on an unknown account or calendar
 */
export function putEvent(
  world: World,
  email: string,
  event: Record<string, unknown>,
  calendarId = 'primary',
  sendUpdates: SendUpdates = 'none',
): EventResource {
  const calendar = calendarOf(world, email, calendarId);
  const actor = calendar.owner;
  const writer: Writer = { ...world, actor, sendUpdates, conferenceDataVersion: 1 };
  const id = event.id;
  const known = typeof id === 'string' ? findEvent(calendar, id) : undefined;
  const view = { role: 'owner', now: world.clock.now() } as const;
  if (known === undefined) return renderEvent(calendar, insertEvent(writer, calendar, event), view);
  const own = detach(calendar, known);
  if (event.status === 'cancelled') {
    cancelEvent(writer, calendar, own);
    return renderEvent(calendar, own, view);
  }
  return renderEvent(calendar, changeEvent(writer, calendar, own, event, 'patch'), view);
}
