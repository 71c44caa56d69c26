import type { calendar_v3 } from '@googleapis/calendar';
import ICAL from 'ical.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MailMessage, Sandbox } from '../src/index.ts';
import {
  ADA,
  BEFORE_MONDAY,
  BOB,
  connect,
  halfHour,
  MONDAY,
  startTestSandbox,
} from './google-client.ts';

const GUEST = 'grace@customer.example';
let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox({ now: BEFORE_MONDAY });
  ({ api } = await connect(sandbox));
});
afterEach(() => sandbox.close());

async function insert(more: Record<string, unknown> = {}): Promise<string> {
  const { data } = await api.events.insert({
    calendarId: 'primary',
    sendUpdates: 'all',
    requestBody: halfHour(MONDAY, { attendees: [{ email: GUEST }], ...more }),
  });
  return data.id ?? '';
}

function patch(eventId: string, requestBody: Record<string, unknown>, sendUpdates = 'all') {
  return api.events.patch({ calendarId: 'primary', eventId, sendUpdates, requestBody });
}

/** The event of a message's calendar part, read by another implementation of RFC 5545. */
function vevent(message: MailMessage | undefined): {
  method: string;
  event: ICAL.Event;
  raw: ICAL.Component;
} {
  const calendar = new ICAL.Component(ICAL.parse(message?.ics ?? ''));
  for (const zone of calendar.getAllSubcomponents('vtimezone')) {
    ICAL.TimezoneService.register(new ICAL.Timezone(zone));
  }
  const raw = calendar.getFirstSubcomponent('vevent');
  if (raw === null) throw new Error('The message has no VEVENT.');
  return {
    method: String(calendar.getFirstPropertyValue('method')),
    event: new ICAL.Event(raw),
    raw,
  };
}

const kindsTo = (to: string) => sandbox.mailbox(to).map(({ kind }) => kind);

describe('mail', () => {
  test('an invitation is a REQUEST that another implementation reads as the same event', async () => {
    const summary = 'Schnitt; Farbe, „deluxe“ \\ 100 %';
    const description = `First line\nSecond line ${'long '.repeat(40)}ünïcödé 日本語`;
    const id = await insert({ summary, description, location: 'Unter den Linden 1, Berlin' });
    const message = sandbox.mailbox(GUEST)[0];
    expect(message).toMatchObject({
      kind: 'invite',
      from: ADA,
      to: GUEST,
      eventId: id,
      method: 'REQUEST',
    });
    expect(message?.subject).toBe(
      `Invitation: ${summary} @ Mon, 11 Jan 2027, 09:00 – 09:30 (Europe/Berlin) (${ADA})`,
    );
    const { method, event, raw } = vevent(message);
    expect(method).toBe('REQUEST');
    expect(event.uid).toBe(`${id}@google.com`);
    expect([event.summary, event.description]).toEqual([summary, description]);
    expect(event.startDate.toJSDate().toISOString()).toBe('2027-01-11T08:00:00.000Z');
    expect(event.endDate.toJSDate().toISOString()).toBe('2027-01-11T08:30:00.000Z');
    expect(String(raw.getFirstPropertyValue('organizer'))).toBe(`mailto:${ADA}`);
    const attendee = raw.getFirstProperty('attendee');
    expect([String(attendee?.getFirstValue()), attendee?.getParameter('partstat')]).toEqual([
      `mailto:${GUEST}`,
      'NEEDS-ACTION',
    ]);
    for (const line of (message?.ics ?? '').split('\r\n')) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    }
    expect(message?.ics.replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('a series carries its zone, so that it stays at 10:00 over DST', async () => {
    await insert({
      start: { dateTime: '2027-03-22T10:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2027-03-22T11:00:00', timeZone: 'Europe/Berlin' },
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    });
    const { event } = vevent(sandbox.mailbox(GUEST)[0]);
    const iterator = event.iterator();
    const starts = [iterator.next(), iterator.next(), iterator.next()];
    expect(starts.map((time) => time?.toJSDate().toISOString())).toEqual([
      '2027-03-22T09:00:00.000Z',
      '2027-03-29T08:00:00.000Z',
      '2027-04-05T08:00:00.000Z',
    ]);
  });

  test('changes send updates, new guests are invited, former ones hear that it is off', async () => {
    const id = await insert();
    await patch(id, { summary: 'Later', ...halfHour('2027-01-12T09:00:00+01:00') });
    expect(kindsTo(GUEST)).toEqual(['invite', 'update']);
    expect(vevent(sandbox.mailbox(GUEST)[1]).event.sequence).toBe(1);

    await patch(id, { attendees: [{ email: 'new@customer.example' }] });
    expect(kindsTo('new@customer.example')).toEqual(['invite']);
    expect(kindsTo(GUEST)).toEqual(['invite', 'update', 'cancel']);
    expect(vevent(sandbox.mailbox(GUEST)[2]).method).toBe('CANCEL');

    await patch(id, { reminders: { useDefault: false } });
    await patch(id, { extendedProperties: { private: { a: 'b' } } });
    await patch(id, { summary: 'Silent' }, 'none');
    expect(kindsTo('new@customer.example')).toEqual(['invite']);
    await api.events.delete({ calendarId: 'primary', eventId: id, sendUpdates: 'all' });
    const [, cancel] = sandbox.mailbox('new@customer.example');
    expect([cancel?.kind, cancel?.method]).toEqual(['cancel', 'CANCEL']);
    expect(vevent(cancel).raw.getFirstPropertyValue('status')).toBe('CANCELLED');
  });

  test('guests with an account hold a copy, answer with it, and may not change what is shared', async () => {
    const id = await insert({ attendees: [{ email: BOB }] });
    const bob = (await connect(sandbox, { account: BOB })).api;
    const copy = await bob.events.get({ calendarId: 'primary', eventId: id });
    expect(copy.data).toMatchObject({
      id,
      organizer: { email: ADA },
      attendees: [{ email: BOB, self: true, responseStatus: 'needsAction' }],
    });
    expect(copy.data.organizer).not.toHaveProperty('self');
    const change = (requestBody: calendar_v3.Schema$Event) =>
      bob.events.patch({ calendarId: 'primary', eventId: id, requestBody });
    await expect(change({ summary: 'Mine now' })).rejects.toMatchObject({ status: 403 });
    await change({ colorId: '5', reminders: { useDefault: false } });
    await change({ attendees: [{ email: BOB, responseStatus: 'accepted' }] });
    const [own] = sandbox.events(ADA);
    expect(own).toMatchObject({ attendees: [{ email: BOB, responseStatus: 'accepted' }] });
    expect(own).not.toHaveProperty('colorId');

    await patch(id, { summary: 'Renamed' });
    expect(sandbox.events(BOB)[0]).toMatchObject({
      summary: 'Renamed',
      colorId: '5',
      reminders: { useDefault: false },
    });
    await bob.events.delete({ calendarId: 'primary', eventId: id });
    expect(sandbox.events(ADA)[0]?.attendees?.[0]?.responseStatus).toBe('declined');
    await patch(id, { attendees: [] });
    expect(sandbox.events(BOB)[0]?.status).toBe('cancelled');
  });

  test('reminders of moved and cancelled events stay away', async () => {
    const start = sandbox.clock.now() + 30 * 3_600_000;
    const at = (ms: number) => halfHour(new Date(ms).toISOString());
    const reminders = { useDefault: false, overrides: [{ method: 'email', minutes: 1440 }] };
    const moved = await insert({ ...at(start), reminders, attendees: [] });
    const gone = await insert({ ...at(start), reminders, attendees: [] });
    await patch(moved, { ...at(start + 3_600_000) });
    await api.events.delete({ calendarId: 'primary', eventId: gone });
    sandbox.clock.advance(6 * 3_600_000 + 60_000);
    expect(sandbox.mailbox(ADA)).toEqual([]);
    sandbox.clock.advance(3_600_000);
    expect(sandbox.mailbox(ADA).map(({ kind, eventId }) => [kind, eventId])).toEqual([
      ['reminder', moved],
    ]);
  });

  test('the owner hears of own inserts only behind the switch', async () => {
    await insert();
    expect(sandbox.mailbox(ADA)).toEqual([]);
    sandbox.set({ ownerMailOnOwnInsert: true });
    await insert();
    expect(kindsTo(ADA)).toEqual(['created']);
  });
});
