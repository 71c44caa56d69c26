import { formatDateTime } from '../availability/local-time.ts';
import type { AppointmentsTable } from '../db/index.ts';
import type { CalendarEvent } from '../google/index.ts';
import { appointmentProperty } from '../sync/busy-spans.ts';

/** The owner is reminded this long before, in minutes (24 hours). */
const ownerReminderMinutes = 1_440;

const idPrefix = 'apt-';

/** The id of an appointment, from an id of `newId`. */
export function appointmentIdOf(id: string): string {
  return idPrefix + id;
}

/**
 * The id of an appointment's event. Being derived, it makes the insert repeatable: however often
 * it is tried, by however many processes, the calendar holds one event (facts/google.md §2).
 */
export function eventIdOf(appointmentId: string): string {
  return appointmentId.slice(idPrefix.length);
}

/** The id of an appointment's event, whether or not it is known to be in the calendar. */
export function ownEventId({
  id,
  google_event_id: known,
}: Pick<AppointmentsTable, 'id' | 'google_event_id'>): string {
  return known ?? eventIdOf(id);
}

/**
 * Google shows descriptions as HTML. What a customer writes must not become a link or an image
 * there, and an escaped text would show its escapes elsewhere; so the brackets are replaced.
 */
function plain(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

function description(appointment: AppointmentsTable): string {
  const answers: Record<string, string> = JSON.parse(appointment.answers);
  const lines = [
    `Name: ${appointment.customer_name}`,
    `E-mail: ${appointment.customer_email}`,
    ...(appointment.customer_phone ? [`Phone: ${appointment.customer_phone}`] : []),
    ...Object.entries(answers).map(([question, answer]) => `${question}: ${answer}`),
    ...(appointment.notes ? ['', appointment.notes] : []),
  ];
  return plain(lines.join('\n'));
}

/** When the event of an appointment begins and ends. */
export function eventTimes(appointment: AppointmentsTable): Pick<CalendarEvent, 'start' | 'end'> {
  const { time_zone: timeZone } = appointment;
  return {
    start: { dateTime: formatDateTime(appointment.starts_at, timeZone), timeZone },
    end: { dateTime: formatDateTime(appointment.ends_at, timeZone), timeZone },
  };
}

/** The event of an appointment as it is inserted into the owner's calendar. */
export function toCalendarEvent(appointment: AppointmentsTable): CalendarEvent {
  return {
    id: ownEventId(appointment),
    summary: plain(appointment.customer_name),
    description: description(appointment),
    ...eventTimes(appointment),
    attendees: [{ email: appointment.customer_email, displayName: appointment.customer_name }],
    // On the owner's copy only: Google's reminders are private to the account (facts/google.md §5).
    reminders: {
      useDefault: false,
      overrides: [{ method: 'email', minutes: ownerReminderMinutes }],
    },
    guestsCanInviteOthers: false,
    guestsCanModify: false,
    extendedProperties: {
      private: { [appointmentProperty]: appointment.id, calhookBotId: appointment.client_id },
    },
  };
}
