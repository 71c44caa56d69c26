import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  connect,
  halfHour,
  MONDAY,
  reasonOf,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeAll(async () => {
  sandbox = await startTestSandbox();
  ({ api } = await connect(sandbox));
});
afterAll(() => sandbox.close());

const DAY_MS = 86_400_000;

let calendars = 0;
/** A calendar of its own for one test. */
function freshCalendar(): string {
  calendars += 1;
  const calendarId = `c${calendars}@group.calendar.google.com`;
  sandbox.addAccount({
    email: `owner${calendars}@example.com`,
    calendars: [{ id: calendarId, summary: 'Team', sharedWith: { [ADA]: 'owner' } }],
  });
  return calendarId;
}

function put(calendarId: string, more: Record<string, unknown> = {}, start = MONDAY) {
  return sandbox.putEvent(ADA, { ...halfHour(start), ...more }, calendarId);
}

type ListOptions = Omit<calendar_v3.Params$Resource$Events$List, 'calendarId'>;

async function list(
  calendarId: string,
  options: ListOptions = {},
): Promise<calendar_v3.Schema$Events> {
  return (await api.events.list({ calendarId, ...options })).data;
}

async function namesIn(calendarId: string, options: ListOptions = {}): Promise<unknown[]> {
  return ((await list(calendarId, options)).items ?? []).map((event) => event.summary);
}

describe('F. list', () => {
  test('56 pages of 250, at most 2500, and the sync token only on the last one', async () => {
    const calendarId = freshCalendar();
    for (let index = 0; index < 2_600; index += 1) put(calendarId, { summary: `E${index}` });
    const first = await list(calendarId);
    expect(first.items).toHaveLength(250);
    expect(first.nextPageToken).toEqual(expect.any(String));
    expect(first).not.toHaveProperty('nextSyncToken');
    expect((await list(calendarId, { maxResults: 9_999 })).items).toHaveLength(2_500);

    const seen = new Set<unknown>();
    let page: calendar_v3.Schema$Events | undefined;
    do {
      page = await list(calendarId, {
        maxResults: 1_000,
        ...(page?.nextPageToken ? { pageToken: page.nextPageToken } : {}),
      });
      for (const event of page.items ?? []) seen.add(event.summary);
      expect(page.nextPageToken === undefined).toBe(page.nextSyncToken !== undefined);
    } while (page.nextPageToken);
    expect(seen.size).toBe(2_600);
    expect((await reasonOf(list(calendarId, { pageToken: 'made-up' }))).status).toBe(400);
  });

  test('57 a sync token gives the changes only, and refuses what cannot be combined', async () => {
    const calendarId = freshCalendar();
    const kept = put(calendarId, { summary: 'Kept' });
    const gone = put(calendarId, { summary: 'Gone' });
    put(calendarId, { summary: 'Untouched' });
    const syncToken = (await list(calendarId)).nextSyncToken ?? '';
    expect((await list(calendarId, { syncToken })).items).toEqual([]);

    sandbox.putEvent(ADA, { id: kept.id, summary: 'Changed' }, calendarId);
    sandbox.putEvent(ADA, { id: gone.id, status: 'cancelled' }, calendarId);
    put(calendarId, { summary: 'New' });
    const changes = await list(calendarId, { syncToken });
    expect(changes.items?.map((event) => [event.summary, event.status])).toEqual([
      ['Changed', 'confirmed'],
      ['Gone', 'cancelled'],
      ['New', 'confirmed'],
    ]);
    expect((await list(calendarId, { syncToken: changes.nextSyncToken ?? '' })).items).toEqual([]);

    const forbidden: ListOptions[] = [
      { timeMin: MONDAY },
      { timeMax: MONDAY },
      { q: 'x' },
      { orderBy: 'updated' },
      { iCalUID: 'x' },
      { updatedMin: MONDAY },
      { privateExtendedProperty: ['a=b'] },
      { sharedExtendedProperty: ['a=b'] },
      { showDeleted: false },
    ];
    for (const options of forbidden) {
      expect((await reasonOf(list(calendarId, { syncToken, ...options }))).status).toBe(400);
    }

    const fullSync = {
      error: {
        errors: [
          {
            domain: 'calendar',
            reason: 'fullSyncRequired',
            message: 'Sync token is no longer valid, a full sync is required.',
            locationType: 'parameter',
            location: 'syncToken',
          },
        ],
        code: 410,
        message: 'Sync token is no longer valid, a full sync is required.',
      },
    };
    const garbage = await refusalOf(list(calendarId, { syncToken: 'garbage' }));
    expect([garbage.status, garbage.body]).toEqual([410, fullSync]);
    sandbox.set({ garbageSyncToken: 400 });
    expect((await reasonOf(list(calendarId, { syncToken: 'garbage' }))).status).toBe(400);
    sandbox.set({ garbageSyncToken: 410 });
    const unshared = (await list(calendarId)).nextSyncToken ?? '';
    sandbox.share(calendarId, 'new@example.com', 'reader');
    expect((await refusalOf(list(calendarId, { syncToken: unshared }))).body).toEqual(fullSync);

    const old = (await list(calendarId)).nextSyncToken ?? '';
    sandbox.clock.advance(31 * DAY_MS);
    const later = (await connect(sandbox)).api.events.list({ calendarId, syncToken: old });
    const expired = await refusalOf(later);
    expect([expired.status, expired.body]).toEqual([410, fullSync]);
    sandbox.clock.set(Date.now());
  });

  test('58 bounds are exclusive, need an offset and an order', async () => {
    const calendarId = freshCalendar();
    put(calendarId, { summary: 'Nine' }, '2027-01-11T09:00:00Z');
    const cases: [ListOptions, number][] = [
      [{ timeMin: '2027-01-11T09:30:00Z' }, 0],
      [{ timeMin: '2027-01-11T09:29:59Z' }, 1],
      [{ timeMin: '2027-01-11T10:29:59+01:00' }, 1],
      [{ timeMin: '2027-01-11T09:29:59.999Z' }, 1],
      [{ timeMax: '2027-01-11T09:00:00Z' }, 0],
      [{ timeMax: '2027-01-11T09:00:01Z' }, 1],
      [{ timeMin: '2027-01-11T09:10:00Z', timeMax: '2027-01-11T09:20:00Z' }, 1],
    ];
    for (const [options, count] of cases) {
      expect([options, await namesIn(calendarId, options)]).toEqual([
        options,
        Array.from({ length: count }, () => 'Nine'),
      ]);
    }
    for (const timeMin of ['2027-01-11T09:00:00', '2027-01-11', 'now']) {
      expect(await reasonOf(list(calendarId, { timeMin }))).toMatchObject({
        status: 400,
        reason: 'badRequest',
      });
    }
    for (const timeMax of [MONDAY, '2027-01-11T07:59:00Z']) {
      expect(await reasonOf(list(calendarId, { timeMin: MONDAY, timeMax }))).toMatchObject({
        status: 400,
        reason: 'timeRangeEmpty',
      });
    }
    expect(await reasonOf(list(calendarId, { orderBy: 'startTime' }))).toEqual({
      status: 400,
      reason: 'invalid',
      message: 'The requested ordering is not available for the particular query.',
    });
  });

  test('59 filters by extended property, expands series in their zone, shows tombstones', async () => {
    const calendarId = freshCalendar();
    put(calendarId, { summary: 'A', extendedProperties: { private: { bot: 'x', kind: 'new' } } });
    put(calendarId, { summary: 'B', extendedProperties: { private: { bot: 'x' } } });
    put(calendarId, { summary: 'C', extendedProperties: { shared: { bot: 'x' } } });
    expect(await namesIn(calendarId, { privateExtendedProperty: ['bot=x'] })).toEqual(['A', 'B']);
    expect(await namesIn(calendarId, { sharedExtendedProperty: ['bot=x'] })).toEqual(['C']);
    const both = { privateExtendedProperty: ['bot=x', 'kind=new'] };
    expect(await namesIn(calendarId, both)).toEqual(['A']);
    sandbox.set({ repeatedExtendedProperty: 'or' });
    expect(await namesIn(calendarId, both)).toEqual(['A', 'B']);
    sandbox.set({ repeatedExtendedProperty: 'and' });
    expect(await namesIn(calendarId, { q: 'b' })).toEqual(['B']);

    const series = freshCalendar();
    const weekly = put(series, {
      summary: 'Weekly',
      start: { dateTime: '2027-03-15T10:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2027-03-15T11:00:00', timeZone: 'Europe/Berlin' },
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
    });
    const expanded = async () =>
      (await list(series, { singleEvents: true, orderBy: 'startTime', timeZone: 'UTC' })).items;
    // 10:00 in Berlin is 09:00 UTC in winter and 08:00 in summer (from 28 March).
    expect((await expanded())?.map((event) => event.start?.dateTime)).toEqual([
      '2027-03-15T09:00:00Z',
      '2027-03-22T09:00:00Z',
      '2027-03-29T08:00:00Z',
      '2027-04-05T08:00:00Z',
    ]);
    const [, second, third] = (await expanded()) ?? [];
    expect(second).toMatchObject({
      id: `${weekly.id}_20270322T090000Z`,
      recurringEventId: weekly.id,
      originalStartTime: { dateTime: '2027-03-22T09:00:00Z' },
    });
    await api.events.patch({
      calendarId: series,
      eventId: second?.id ?? '',
      requestBody: { summary: 'Moved', ...halfHour('2027-03-23T15:00:00Z', { summary: 'Moved' }) },
    });
    await api.events.delete({ calendarId: series, eventId: third?.id ?? '' });
    expect((await expanded())?.map((event) => [event.summary, event.start?.dateTime])).toEqual([
      ['Weekly', '2027-03-15T09:00:00Z'],
      ['Moved', '2027-03-23T15:00:00Z'],
      ['Weekly', '2027-04-05T08:00:00Z'],
    ]);
    const { data } = await api.events.instances({ calendarId: series, eventId: weekly.id });
    expect(data.items?.map((event) => event.summary)).toEqual(['Weekly', 'Moved', 'Weekly']);
    const masters = (await list(series)).items?.map((event) => [event.id, event.status]);
    expect(masters).toEqual([
      [weekly.id, 'confirmed'],
      [second?.id, 'confirmed'],
      [third?.id, 'cancelled'],
    ]);

    const tombstones = freshCalendar();
    const gone = put(tombstones, { summary: 'Gone' });
    sandbox.putEvent(ADA, { id: gone.id, status: 'cancelled' }, tombstones);
    expect(await namesIn(tombstones)).toEqual([]);
    const shown = (await list(tombstones, { showDeleted: true })).items;
    expect(shown?.map((event) => [event.id, event.status])).toEqual([[gone.id, 'cancelled']]);
  });

  test('60 a list says which calendar it is of', async () => {
    const data = await list('primary');
    expect(data).toMatchObject({
      kind: 'calendar#events',
      etag: expect.stringMatching(/^".+"$/),
      summary: ADA,
      timeZone: 'Europe/Berlin',
      accessRole: 'owner',
      defaultReminders: [{ method: 'popup', minutes: 10 }],
      updated: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await list('primary', { fields: 'timeZone,items(id)' })).toEqual({
      timeZone: 'Europe/Berlin',
      items: [],
    });
  });
});
