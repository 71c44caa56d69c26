import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type Answer, openTestApp, startOfTests, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
/** One hour ahead of UTC, always. */
const timeZone = 'Africa/Lagos';
const morning = { tuesday: [{ start: '09:00', end: '12:00' }] };

interface SlotText {
  readonly start: string;
  readonly end: string;
  readonly date: string;
  readonly time: string;
  readonly label: string;
}

describeOnEachDatabase('slots', (dialect) => {
  let server: TestApp;
  /** Each test has a Tuesday of its own; the first is the day after the tests start. */
  let day: string;
  let weeks = 0;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(() => {
    server.sandbox.faults.clear();
    day = Temporal.PlainDate.from('2026-01-13').add({ weeks: weeks++ }).toString();
  });
  afterAll(() => server.close());

  const botWith = (rules: Record<string, unknown> = {}, account = owner) =>
    server.connectedBot(account, { timeZone, weeklyHours: morning, slotStepMinutes: 30, ...rules });
  const ask = (bot: string, query: Record<string, string | number> = {}) => {
    const search = new URLSearchParams({ from: day, to: day });
    for (const [name, value] of Object.entries(query)) search.set(name, String(value));
    return server.call('GET', `/api/calendar/slots/${bot}?${search}`);
  };
  const timesOf = ({ body }: Answer) => (body.slots as SlotText[]).map(({ time }) => time);
  /** Of the starts within the hours. */
  const reasonsOf = ({ body }: Answer) =>
    Object.fromEntries(
      (body.unavailable as { time: string; reason: string }[])
        .filter(({ time }) => time >= '09:00' && time < '12:00')
        .map(({ time, reason }) => [time, reason]),
    );
  const ownEvent = (from: string, to: string, more = {}) =>
    server.sandbox.putEvent(owner, {
      summary: 'Dentist',
      start: { dateTime: `${day}T${from}:00+01:00` },
      end: { dateTime: `${day}T${to}:00+01:00` },
      ...more,
    });

  test('are the free starts within the hours, told in the zone that is asked for', async () => {
    const bot = await botWith();
    const answer = await ask(bot);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ timeZone });
    expect(answer.body.checkedAt).toBeGreaterThanOrEqual(startOfTests);
    expect(timesOf(answer)).toEqual(['09:00', '09:30', '10:00', '10:30', '11:00', '11:30']);
    expect((answer.body.slots as SlotText[])[0]).toEqual({
      start: `${day}T09:00:00+01:00`,
      end: `${day}T09:30:00+01:00`,
      date: day,
      time: '09:00',
      label: 'Tuesday, 13 January 2026 at 09:00 (Africa/Lagos)',
    });
    const elsewhere = await ask(bot, { timeZone: 'America/New_York', language: 'de' });
    expect((elsewhere.body.slots as SlotText[])[0]).toMatchObject({
      start: `${day}T03:00:00-05:00`,
      time: '03:00',
      label: expect.stringContaining('Dienstag, 13. Januar 2026'),
    });
  });

  test('leave out the owner’s events, and appointments with their buffers', async () => {
    const bot = await botWith({ bufferAfterMinutes: 30 });
    ownEvent('10:00', '10:30');
    const body = { customerName: 'Alan', email: 'alan@example.org', date: day, time: '11:00' };
    expect((await book(server, bot, body)).status).toBe(201);
    const answer = await ask(bot, { explain: 'true' });
    expect(timesOf(answer)).toEqual(['09:00']);
    expect(reasonsOf(answer)).toEqual({
      '09:30': 'buffer',
      '10:00': 'busy',
      '10:30': 'claim',
      '11:00': 'claim',
      '11:30': 'claim',
    });
  });

  test.each([
    ['too soon', { minimumNoticeMinutes: 525_600 }, 'notice', [], {}],
    ['too far ahead', { horizonDays: 0 }, 'horizon', [], {}],
    ['outside the hours', {}, 'outside_hours', ['09:00'], { durationMinutes: 170 }],
  ])('say of each other start why it is %s', async (_, rules, reason, first, query) => {
    const bot = await botWith(rules);
    const answer = await ask(bot, { explain: 'true', ...query });
    expect(timesOf(answer).slice(0, 1)).toEqual(first);
    const [why] = Object.values(reasonsOf(answer));
    expect(why).toBe(reason);
  });

  test('say of a day off that it is one', async () => {
    const bot = await botWith({ dateOverrides: [{ date: day, ranges: [] }] });
    const answer = await ask(bot, { explain: 'true' });
    expect(timesOf(answer)).toEqual([]);
    const all = answer.body.unavailable as { reason: string }[];
    expect(all).toHaveLength(48);
    expect(new Set(all.map(({ reason }) => reason))).toEqual(new Set(['outside_hours']));
  });

  test('hide a day at once when its limit is reached', async () => {
    const bot = await botWith({ maxPerDay: 1 });
    const body = { customerName: 'Alan', email: 'alan@example.org', date: day, time: '11:00' };
    expect((await book(server, bot, body)).status).toBe(201);
    const answer = await ask(bot, { explain: 'true' });
    expect(timesOf(answer)).toEqual([]);
    expect(reasonsOf(answer)).toMatchObject({ '09:00': 'limit', '10:30': 'limit' });
    const second = await book(server, bot, { ...body, email: 'bob@example.org', time: '09:00' });
    expect(second).toMatchObject({ status: 422, body: { code: 'limit_reached' } });
  });

  test('follow what the owner adds within a minute', async () => {
    const bot = await botWith();
    expect(timesOf(await ask(bot))).toContain('09:00');
    ownEvent('09:00', '12:00');
    server.sandbox.clock.advance(61_000);
    const answer = await ask(bot);
    expect(timesOf(answer)).toEqual([]);
    expect(answer.body.source).toBe('google');
    expect((await ask(bot)).body.source).toBe('mirror');
  });

  test('are never offered from a calendar that cannot be read', async () => {
    const bot = await botWith();
    server.sandbox.clock.advance(61_000);
    server.sandbox.faults.add({
      route: 'events.list',
      times: 1_000,
      fault: { kind: 'status', status: 503 },
    });
    expect(await ask(bot)).toMatchObject({
      status: 503,
      body: { success: false, code: 'calendar_unreachable' },
    });
    const explained = await ask(bot, { explain: 'true' });
    expect(explained).toMatchObject({ status: 200, body: { slots: [], source: 'none' } });
    expect(new Set(Object.values(reasonsOf(explained)))).toEqual(new Set(['calendar_unreachable']));
  });

  test('ask no calendar that is not connected', async () => {
    const bot = await botWith();
    await server.call('POST', `/api/calendar/disconnect/${bot}`);
    expect(await ask(bot)).toMatchObject({
      status: 424,
      body: { code: 'calendar_not_connected' },
    });
  });

  test.each([
    ['a date that does not exist', { from: '2026-02-30' }, 'invalid_request'],
    ['an end before the start', { to: '2026-01-01' }, 'invalid_request'],
    ['more than 92 days', { to: '2027-01-01' }, 'invalid_request'],
    ['an unknown zone', { timeZone: 'Mars/Olympus' }, 'invalid_timezone'],
    ['a field that is not known', { till: '2026-01-13' }, 'unknown_field'],
    ['a length that is not offered', { durationMinutes: 25 }, 'duration_not_offered'],
  ])('are refused for %s', async (_, query, code) => {
    const bot = await botWith({ durationsMinutes: [60] });
    const answer = await ask(bot, query);
    expect(answer.body).toMatchObject({ success: false, code });
    expect(answer.status).toBeLessThan(500);
  });

  test.each(['0001-01-01', '2020-06-01', '2026-01-11', '2028-06-01', '2035-06-01', '9999-12-30'])(
    'on %s there are none, and that is no fault',
    async (date) => {
      const bot = await botWith({ weeklyHours: null });
      const range = { from: date, to: date };
      expect(await ask(bot, range)).toMatchObject({ status: 200, body: { slots: [] } });
      const explained = await ask(bot, { ...range, explain: 'true' });
      expect(explained).toMatchObject({ status: 200, body: { slots: [] } });
      const reasons = (explained.body.unavailable as { reason: string }[]).map((one) => one.reason);
      expect(new Set(reasons)).toEqual(new Set([date < day ? 'notice' : 'horizon']));
    },
  );

  test('of two bots on one calendar exclude each other, of others do not', async () => {
    const [one, two] = [await botWith(), await botWith()];
    const other = await botWith({}, 'grace@example.com');
    const hold = await server.call('POST', `/api/calendar/hold/${one}`, {
      date: day,
      time: '10:00',
    });
    expect(hold.status).toBe(201);
    expect(timesOf(await ask(two))).not.toContain('10:00');
    expect(timesOf(await ask(other))).toContain('10:00');
    server.sandbox.clock.advance(Number(hold.body.expiresAt) - server.sandbox.clock.now() + 1);
    expect(timesOf(await ask(two))).toContain('10:00');
  });
});
