import type { calendar_v3 } from '@googleapis/calendar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  connect,
  halfHour,
  insertPrimary,
  MONDAY,
  reasonOf,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';
import { runSize } from '../run-size.ts';

/** How many pairs of parallel inserts check 50 makes. */
const PAIRS = runSize(1_000, 100);

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeAll(async () => {
  sandbox = await startTestSandbox({ switches: { requestsPerMinutePerUser: 0 } });
  ({ api } = await connect(sandbox));
});
afterAll(() => sandbox.close());

const insert = (
  requestBody: Record<string, unknown>,
  more?: calendar_v3.Params$Resource$Events$Insert,
) => insertPrimary(api, requestBody, more);

describe('E. events.insert', () => {
  test('37 a minimal body comes back as a full event', async () => {
    const response = await api.events.insert({
      calendarId: 'primary',
      requestBody: { start: { dateTime: MONDAY }, end: { dateTime: '2027-01-11T09:30:00+01:00' } },
    });
    expect(response.status).toBe(200);
    const event = response.data;
    expect(event).toEqual({
      kind: 'calendar#event',
      etag: expect.stringMatching(/^"3\d+"$/),
      id: expect.stringMatching(/^[a-v0-9]{26}$/),
      status: 'confirmed',
      htmlLink: expect.stringMatching(/^https:\/\/www\.google\.com\/calendar\/event\?eid=/),
      created: expect.stringMatching(/^\d{4}-.*Z$/),
      updated: event.created,
      creator: { email: ADA, self: true },
      organizer: { email: ADA, self: true },
      start: { dateTime: MONDAY, timeZone: 'Europe/Berlin' },
      end: { dateTime: '2027-01-11T09:30:00+01:00', timeZone: 'Europe/Berlin' },
      iCalUID: `${event.id}@google.com`,
      sequence: 0,
      reminders: { useDefault: true },
      eventType: 'default',
    });
    const eid = new URL(event.htmlLink ?? '').searchParams.get('eid') ?? '';
    expect(Buffer.from(eid, 'base64').toString()).toBe(`${event.id} ${ADA}`);
  });

  test('38 a client’s own id is kept, taken once, and stays taken after delete', async () => {
    const id = 'calhook0appointment17';
    expect((await insert({ ...halfHour(MONDAY), id })).id).toBe(id);
    const { status, body } = await refusalOf(insert({ ...halfHour(MONDAY), id }));
    const duplicate = {
      error: {
        errors: [
          {
            domain: 'global',
            reason: 'duplicate',
            message: 'The requested identifier already exists.',
          },
        ],
        code: 409,
        message: 'The requested identifier already exists.',
      },
    };
    expect([status, body]).toEqual([409, duplicate]);
    await api.events.delete({ calendarId: 'primary', eventId: id });
    const afterDelete = await refusalOf(insert({ ...halfHour(MONDAY), id }));
    expect([afterDelete.status, afterDelete.body]).toEqual([409, duplicate]);

    sandbox.set({ idCollisions: 'undetected' });
    expect((await insert({ ...halfHour(MONDAY), id, summary: 'Later' })).summary).toBe('Later');
    sandbox.set({ idCollisions: 'detected' });
  });

  test.each(['abcd', 'a'.repeat(1025), 'ABCDE', 'abcdw', 'abcdz', 'abc-de', 'abc_de', 'abcdé'])(
    '39 an id that is not 5 to 1024 of [a-v0-9] is refused (case %#)',
    async (id) => {
      expect(await reasonOf(insert({ ...halfHour(MONDAY), id }))).toEqual({
        status: 400,
        reason: 'invalid',
        message: 'Invalid resource id value.',
      });
    },
  );

  test('40 a missing end, an empty range and mixed kinds are refused', async () => {
    const start = { dateTime: MONDAY };
    expect(await reasonOf(insert({ start }))).toEqual({
      status: 400,
      reason: 'required',
      message: 'Missing end time.',
    });
    for (const end of [start, { dateTime: '2027-01-11T08:59:59+01:00' }]) {
      expect(await reasonOf(insert({ start, end }))).toEqual({
        status: 400,
        reason: 'timeRangeEmpty',
        message: 'The specified time range is empty.',
      });
    }
    const mixed = [
      { start, end: { date: '2027-01-12' } },
      { start: { date: '2027-01-11' }, end: { dateTime: MONDAY } },
      { start: { ...start, date: '2027-01-11' }, end: { dateTime: '2027-01-11T10:00:00+01:00' } },
    ];
    for (const body of mixed) {
      expect(await reasonOf(insert(body))).toEqual({
        status: 400,
        reason: 'invalid',
        message: 'Start and end times must either both be date or both be dateTime.',
      });
    }
    for (const dateTime of ['2027-02-30T10:00:00Z', '2027-01-11T24:00:00Z', 'tomorrow', '']) {
      expect((await reasonOf(insert({ start: { dateTime }, end: start }))).status).toBe(400);
    }
  });

  test('41 zones: none is refused, unknown is refused, local time lands on the right instant', async () => {
    const local = { dateTime: '2027-01-11T09:00:00' };
    expect(await reasonOf(insert({ start: local, end: local }))).toEqual({
      status: 400,
      reason: 'required',
      message: 'Missing time zone definition for start time.',
    });
    const nowhere = { ...local, timeZone: 'Europe/Atlantis' };
    expect(await reasonOf(insert({ start: nowhere, end: nowhere }))).toMatchObject({
      status: 400,
      reason: 'invalid',
    });
    // Recurring events need a zone even when an offset is given.
    const weekly = { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=2'] };
    expect(await reasonOf(insert({ ...halfHour(MONDAY), ...weekly }))).toEqual({
      status: 400,
      reason: 'required',
      message: 'Missing time zone definition for start time.',
    });
    const cases = [
      ['Europe/Berlin', '2027-03-27T10:00:00', '2027-03-27T09:00:00Z'],
      ['Europe/Berlin', '2027-03-28T10:00:00', '2027-03-28T08:00:00Z'],
      ['Europe/Berlin', '2027-03-28T02:30:00', '2027-03-28T01:30:00Z'],
      ['Europe/Berlin', '2027-10-31T02:30:00', '2027-10-31T00:30:00Z'],
      ['America/New_York', '2027-11-07T01:30:00', '2027-11-07T05:30:00Z'],
      ['Australia/Lord_Howe', '2027-04-04T01:45:00', '2027-04-03T14:45:00Z'],
      ['Asia/Kathmandu', '2027-06-01T10:00:00', '2027-06-01T04:15:00Z'],
      ['UTC', '2027-06-01T10:00:00', '2027-06-01T10:00:00Z'],
    ] as const;
    for (const [timeZone, dateTime, instant] of cases) {
      const end = new Date(Date.parse(instant) + 1_800_000).toISOString();
      const { start } = await insert({ start: { dateTime, timeZone }, end: { dateTime: end } });
      expect([timeZone, dateTime, Date.parse(start?.dateTime ?? '')]).toEqual([
        timeZone,
        dateTime,
        Date.parse(instant),
      ]);
      expect(start?.timeZone).toBe(timeZone);
    }
  });

  test('48 an unknown calendar is 404, and primary is the owner’s e-mail', async () => {
    const requestBody = halfHour(MONDAY);
    const unknown = api.events.insert({ calendarId: 'nobody@example.com', requestBody });
    expect(await reasonOf(unknown)).toEqual({
      status: 404,
      reason: 'notFound',
      message: 'Not Found',
    });
    const { data } = await api.events.insert({ calendarId: ADA, requestBody });
    const eventId = data.id ?? '';
    expect((await api.events.get({ calendarId: 'primary', eventId })).data).toEqual(data);
  });

  test('49 malformed JSON is 400 parseError', async () => {
    const { client } = await connect(sandbox);
    const broken = client.request({
      url: `${sandbox.endpoints.apiUrl}/calendar/v3/calendars/primary/events`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      data: '{"start":',
    });
    expect(await reasonOf(broken)).toEqual({
      status: 400,
      reason: 'parseError',
      message: 'Parse Error',
    });
  });

  test('50 two parallel inserts of one id: one 200, one 409', async () => {
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const body = { ...halfHour(MONDAY), id: `pair${pair.toString(8).padStart(6, '0')}` };
      const outcomes = await Promise.all(
        [insert(body), insert(body)].map((attempt) =>
          attempt.then(
            () => 200,
            (error: { status?: number }) => error.status,
          ),
        ),
      );
      expect(outcomes.sort()).toEqual([200, 409]);
    }
    const stored = sandbox.events(ADA).filter((event) => event.id.startsWith('pair'));
    expect(stored).toHaveLength(PAIRS);
  });

  test('51 done but answer lost: the retry gets 409, and the event is there', async () => {
    const body = { ...halfHour(MONDAY), id: 'vanished17' };
    const fault = sandbox.faults.add({ route: 'events.insert', fault: { kind: 'commitThenDrop' } });
    const lost: unknown = await insert(body).catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(Error);
    expect(lost).not.toHaveProperty('response.status');
    expect(fault.hits).toBe(1);
    expect(sandbox.requests.of('events.insert').at(-1)?.status).toBe(0);
    expect(await reasonOf(insert(body))).toMatchObject({ status: 409, reason: 'duplicate' });
    const { data } = await api.events.get({ calendarId: 'primary', eventId: body.id });
    expect(data).toMatchObject({ id: body.id, summary: 'Appointment', status: 'confirmed' });
  });
});
