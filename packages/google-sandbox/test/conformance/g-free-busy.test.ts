import type { calendar_v3 } from '@googleapis/calendar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { ADA, CALENDAR_SCOPE, connect, reasonOf, startTestSandbox } from '../google-client.ts';

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox();
  ({ api } = await connect(sandbox, { scope: [CALENDAR_SCOPE] }));
});
afterEach(() => sandbox.close());

const DAY = { timeMin: '2027-01-11T00:00:00Z', timeMax: '2027-01-12T00:00:00Z' };

async function query(
  more: Partial<calendar_v3.Schema$FreeBusyRequest> = {},
): Promise<calendar_v3.Schema$FreeBusyResponse> {
  const requestBody = { ...DAY, items: [{ id: 'primary' }], ...more };
  return (await api.freebusy.query({ requestBody })).data;
}

/** An event on 11 January 2027, hours in UTC. */
function put(from: string, to: string, more: Record<string, unknown> = {}): void {
  sandbox.putEvent(ADA, {
    start: { dateTime: `2027-01-11T${from}:00Z` },
    end: { dateTime: `2027-01-11T${to}:00Z` },
    ...more,
  });
}

describe('G. freeBusy', () => {
  test('61 busy is what is opaque, accepted and confirmed, merged and in order', async () => {
    put('15:00', '16:00');
    put('09:00', '10:00');
    put('09:30', '10:30');
    put('10:30', '11:00');
    put('12:00', '12:30', { transparency: 'transparent' });
    put('13:00', '13:30', { status: 'cancelled' });
    put('17:00', '17:30', {
      attendees: [{ email: ADA, responseStatus: 'declined' }, { email: 'x@customer.example' }],
    });
    put('18:00', '18:30', { eventType: 'workingLocation' });
    put('19:00', '19:30', { eventType: 'outOfOffice' });
    put('20:00', '20:30', { eventType: 'focusTime' });
    put('23:30', '23:59', { status: 'tentative' });
    const { calendars } = await query();
    expect(calendars?.primary).toEqual({
      busy: [
        { start: '2027-01-11T09:00:00Z', end: '2027-01-11T11:00:00Z' },
        { start: '2027-01-11T15:00:00Z', end: '2027-01-11T16:00:00Z' },
        { start: '2027-01-11T19:00:00Z', end: '2027-01-11T19:30:00Z' },
        { start: '2027-01-11T20:00:00Z', end: '2027-01-11T20:30:00Z' },
        { start: '2027-01-11T23:30:00Z', end: '2027-01-11T23:59:00Z' },
      ],
    });
    const berlin = await query({ timeZone: 'Europe/Berlin' });
    expect(berlin.calendars?.primary?.busy?.[0]).toEqual({
      start: '2027-01-11T10:00:00+01:00',
      end: '2027-01-11T12:00:00+01:00',
    });

    const half = { timeMin: '2027-01-11T10:00:00Z', timeMax: '2027-01-11T15:30:00Z' };
    expect((await query(half)).calendars?.primary?.busy).toEqual([
      { start: '2027-01-11T10:00:00Z', end: '2027-01-11T11:00:00Z' },
      { start: '2027-01-11T15:00:00Z', end: '2027-01-11T15:30:00Z' },
    ]);
    sandbox.set({ freeBusyClipped: false, freeBusyPrimaryKey: 'email' });
    expect((await query(half)).calendars?.[ADA]?.busy?.[0]?.start).toBe('2027-01-11T09:30:00Z');

    sandbox.putEvent(ADA, {
      start: { dateTime: '2027-02-01T09:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2027-02-01T10:00:00', timeZone: 'Europe/Berlin' },
      recurrence: ['RRULE:FREQ=DAILY;COUNT=3'],
    });
    sandbox.putEvent(ADA, { start: { date: '2027-02-05' }, end: { date: '2027-02-06' } });
    const february = { timeMin: '2027-02-01T00:00:00Z', timeMax: '2027-02-28T00:00:00Z' };
    expect((await query(february)).calendars?.[ADA]?.busy).toEqual([
      { start: '2027-02-01T08:00:00Z', end: '2027-02-01T09:00:00Z' },
      { start: '2027-02-02T08:00:00Z', end: '2027-02-02T09:00:00Z' },
      { start: '2027-02-03T08:00:00Z', end: '2027-02-03T09:00:00Z' },
      { start: '2027-02-04T23:00:00Z', end: '2027-02-05T23:00:00Z' },
    ]);
  });

  test('62 a calendar that cannot be read is told apart from a free one', async () => {
    const items = [{ id: 'primary' }, { id: 'nobody@example.com' }];
    expect((await query({ items })).calendars).toEqual({
      primary: { busy: [] },
      'nobody@example.com': { errors: [{ domain: 'global', reason: 'notFound' }], busy: [] },
    });
  });

  test('63 too wide, inverted and too many are refused', async () => {
    const wide = { timeMin: '2027-01-01T00:00:00Z', timeMax: '2027-04-01T00:00:01Z' };
    expect(await reasonOf(query(wide))).toEqual({
      status: 400,
      reason: 'timeRangeTooLong',
      message: 'The requested time range is too long.',
    });
    expect((await query({ ...wide, timeMax: '2027-04-01T00:00:00Z' })).kind).toBe(
      'calendar#freeBusy',
    );
    sandbox.set({ freeBusyMaxDays: 30 });
    expect((await reasonOf(query({ ...wide, timeMax: '2027-02-01T00:00:00Z' }))).status).toBe(400);
    for (const timeMax of [DAY.timeMin, '2027-01-10T00:00:00Z']) {
      expect(await reasonOf(query({ timeMax }))).toMatchObject({
        status: 400,
        reason: 'timeRangeEmpty',
      });
    }
    const items = Array.from({ length: 51 }, (_, index) => ({ id: `c${index}@example.com` }));
    expect((await query({ items })).calendars?.['c0@example.com']?.errors).toEqual([
      { domain: 'global', reason: 'tooManyCalendarsRequested' },
    ]);
    sandbox.set({ freeBusyTooMany: 'http-400' });
    expect(await reasonOf(query({ items }))).toMatchObject({
      status: 400,
      reason: 'tooManyCalendarsRequested',
    });
    expect((await query({ items: items.slice(0, 50) })).kind).toBe('calendar#freeBusy');
  });
});
