import type { Attendee, Calendar, StoredEvent } from '../calendar/event-record.ts';
import { basicForm, type Moment } from '../calendar/moments.ts';
import { wallMsOf } from '../calendar/recurrence.ts';
import { timeZoneBlock } from './ics-time-zone.ts';

const PARTSTAT: Record<Attendee['responseStatus'], string> = {
  needsAction: 'NEEDS-ACTION',
  declined: 'DECLINED',
  tentative: 'TENTATIVE',
  accepted: 'ACCEPTED',
};

/**
 * The calendar part of an invitation: an iTIP message (RFC 5546 §3.2) as an iCalendar object
 * (RFC 5545). Series carry their zone, since a rule in UTC would drift over DST.
 */
export function renderIcs(
  method: 'REQUEST' | 'CANCEL',
  calendar: Calendar,
  event: StoredEvent,
  now: number,
): string {
  const { content } = event;
  const isSeries = content.recurrence !== undefined;
  const zone = isSeries && !event.start.allDay ? event.start.timeZone : undefined;
  const organizer = event.organizer.displayName ?? calendar.owner.name;
  const lines = [
    'BEGIN:VCALENDAR',
    'PRODID:-//Google sandbox//A stand-in for Google Calendar//EN',
    'VERSION:2.0',
    'CALSCALE:GREGORIAN',
    `METHOD:${method}`,
    ...(zone === undefined || zone === 'UTC' ? [] : timeZoneBlock(zone, wallMsOf(event.start))),
    'BEGIN:VEVENT',
    timeLine('DTSTART', event.start, zone),
    timeLine('DTEND', event.end, zone),
    ...(content.recurrence ?? []),
    ...(event.exception === undefined
      ? []
      : [timeLine('RECURRENCE-ID', event.exception.originalStart, undefined)]),
    `DTSTAMP:${utc(now)}`,
    `ORGANIZER;CN=${parameter(organizer)}:mailto:${event.organizer.email}`,
    `UID:${escaped(event.iCalUID)}`,
    ...(content.attendees ?? []).map(attendeeLine),
    `CREATED:${utc(event.createdMs)}`,
    `LAST-MODIFIED:${utc(event.updatedMs)}`,
    `SEQUENCE:${event.sequence}`,
    `STATUS:${method === 'CANCEL' ? 'CANCELLED' : event.status.toUpperCase()}`,
    `SUMMARY:${escaped(content.summary ?? '')}`,
    ...(content.description === undefined ? [] : [`DESCRIPTION:${escaped(content.description)}`]),
    ...(content.location === undefined ? [] : [`LOCATION:${escaped(content.location)}`]),
    `TRANSP:${content.transparency === 'transparent' ? 'TRANSPARENT' : 'OPAQUE'}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return `${lines.map(folded).join('\r\n')}\r\n`;
}

function attendeeLine(attendee: Attendee): string {
  const role = attendee.optional ? 'OPT-PARTICIPANT' : 'REQ-PARTICIPANT';
  const type = attendee.resource ? 'RESOURCE' : 'INDIVIDUAL';
  const name = parameter(attendee.displayName ?? attendee.email);
  return `ATTENDEE;CUTYPE=${type};ROLE=${role};PARTSTAT=${PARTSTAT[attendee.responseStatus]};RSVP=TRUE;CN=${name};X-NUM-GUESTS=${attendee.additionalGuests ?? 0}:mailto:${attendee.email}`;
}

function timeLine(name: string, moment: Moment, zone: string | undefined): string {
  if (moment.allDay) return `${name};VALUE=DATE:${basicForm(moment)}`;
  if (zone === undefined || zone === 'UTC') return `${name}:${utc(moment.epochMs)}`;
  const wall = wallMsOf({ ...moment, timeZone: zone });
  return `${name};TZID=${zone}:${utc(wall).slice(0, -1)}`;
}

/** `20261130T090000Z`. */
function utc(epochMs: number): string {
  return basicForm({ allDay: false, epochMs, timeZone: 'UTC' });
}

/** TEXT of RFC 5545 §3.3.11; a line break of any kind becomes `\n`, other controls go. */
function escaped(text: string): string {
  return text
    .replace(/[\\;,]/g, (sign) => `\\${sign}`)
    .replace(/\r\n|\r|\n/g, '\\n')
    .replace(/[\p{Cc}]/gu, '');
}

/** A parameter value: quoted, without what a quoted value may not hold (RFC 5545 §3.2). */
function parameter(text: string): string {
  return `"${text.replace(/["\p{Cc}]/gu, '')}"`;
}

/** Content lines are at most 75 octets; the rest goes on in lines that begin with a space. */
function folded(line: string): string {
  if (Buffer.byteLength(line) <= 75) return line;
  const pieces: string[] = [];
  let piece = '';
  let size = 0;
  for (const sign of line) {
    const bytes = Buffer.byteLength(sign);
    if (size + bytes > (pieces.length === 0 ? 75 : 74)) {
      pieces.push(piece);
      piece = '';
      size = 0;
    }
    piece += sign;
    size += bytes;
  }
  pieces.push(piece);
  return pieces.join('\r\n ');
}
