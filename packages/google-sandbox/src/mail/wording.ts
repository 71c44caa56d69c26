import type { Calendar, StoredEvent } from '../calendar/event-record.ts';
import type { Moment } from '../calendar/moments.ts';
import { wallOfInstant } from '../calendar/zone-offsets.ts';
import type { MailKind } from './message.ts';

const SUBJECTS: Record<MailKind, string> = {
  invite: 'Invitation',
  update: 'Updated invitation',
  cancel: 'Canceled event',
  reminder: 'Notification',
  created: 'New event',
};

/** `Invitation: Title @ Mon, 30 Nov 2026, 10:00 – 10:30 (Europe/Berlin) (ada@example.com)`. */
export function subjectOf(kind: MailKind, calendar: Calendar, event: StoredEvent): string {
  const title = event.content.summary ?? '(No title)';
  return `${SUBJECTS[kind]}: ${title} @ ${whenText(event.start, event.end)} (${calendar.owner.email})`;
}

const LEADS: Record<MailKind, string> = {
  invite: 'You have been invited to the following event.',
  update: 'This event has been updated.',
  cancel: 'This event has been canceled and removed from your calendar.',
  reminder: 'This is a reminder of an event on your calendar.',
  created: 'A new event is on your calendar.',
};

export function textOf(kind: MailKind, calendar: Calendar, event: StoredEvent): string {
  const { summary, location, description, attendees } = event.content;
  const lines = [
    LEADS[kind],
    '',
    summary ?? '(No title)',
    `When: ${whenText(event.start, event.end)}`,
  ];
  if (location !== undefined) lines.push(`Where: ${location}`);
  lines.push(`Calendar: ${calendar.summary}`);
  if (attendees !== undefined) {
    lines.push(`Who: ${attendees.map((attendee) => attendee.email).join(', ')}`);
  }
  if (description !== undefined) lines.push('', description);
  return lines.join('\n');
}

/** `Mon, 30 Nov 2026, 10:00 – 10:30 (Europe/Berlin)`; the day alone for all-day events. */
function whenText(start: Moment, end: Moment): string {
  if (start.allDay || end.allDay) return dayText(Date.parse(`${dateOf(start)}T00:00:00Z`));
  const zone = start.timeZone;
  const from = wallOfInstant(zone, start.epochMs);
  const to = wallOfInstant(zone, end.epochMs);
  const sameDay = dayText(from) === dayText(to);
  const until = sameDay ? timeText(to) : `${dayText(to)}, ${timeText(to)}`;
  return `${dayText(from)}, ${timeText(from)} – ${until} (${zone})`;
}

function dateOf(moment: Moment): string {
  return moment.allDay ? moment.date : new Date(moment.epochMs).toISOString().slice(0, 10);
}

/** `Mon, 30 Nov 2026` of a wall clock read as UTC. */
function dayText(wallMs: number): string {
  return new Date(wallMs).toUTCString().slice(0, 16);
}

function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(11, 16);
}
