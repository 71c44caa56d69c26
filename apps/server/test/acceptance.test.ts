import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type Answer, openTestApp, startOfTests, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
const hour = 3_600_000;
const day = 24 * hour;

/**
 * The checks of facts/booking.md §7, by the words used there, that no other file names: rivals for
 * one slot are in contention.test.ts, what owners do in owner-edits.test.ts, tokens in refresh*.test.ts, reconnect.test.ts and
 * rotation.test.ts, links that previews open in connect.test.ts and manage-pages.test.ts. Calhook
 * has no seats: a time is had by one.
 */
describeOnEachDatabase('what went wrong elsewhere (facts/booking.md §7)', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(() => server.sandbox.faults.clear());
  afterAll(() => server.close());

  const utc = (ms: number) => ({ dateTime: new Date(ms).toISOString() });
  const span = (startsAt: number, minutes = 30) => ({
    start: utc(startsAt),
    end: utc(startsAt + minutes * 60_000),
  });
  /** A booking of a bot whose zone is UTC. */
  const bookingAt = (startsAt: number, email = 'visitor@example.org') => {
    const text = new Date(startsAt).toISOString();
    return { customerName: 'Visitor', email, date: text.slice(0, 10), time: text.slice(11, 16) };
  };
  const bookAt = (bot: string, startsAt: number, email?: string) =>
    book(server, bot, bookingAt(startsAt, email));
  const freeStart = () => {
    const { date, time } = freeSlot();
    return Date.parse(`${date}T${time}Z`);
  };
  const read = async (bot: string, { body }: Answer) =>
    (await server.call('GET', `/api/calendar/appointments/${bot}/${body.appointmentId}`)).body;
  const slotsOf = async (bot: string, from: string, to: string) => {
    const path = `/api/calendar/slots/${bot}?from=${from}&to=${to}`;
    const { status, body, text } = await server.call('GET', path);
    expect(status, text).toBe(200);
    return (body.slots as { start: string }[]).map(({ start }) => Date.parse(start));
  };

  describe('booking', () => {
    test('confirm-pending × 2: of two that wait for one slot, one is taken in, once', async () => {
      const bot = await server.connectedBot(owner, { timeZone: 'UTC', acceptPending: true });
      const startsAt = freeStart();
      server.sandbox.faults.add({
        route: 'events.list',
        times: 1_000,
        fault: { kind: 'status', status: 503 },
      });
      const answers = await Promise.all(
        ['one@example.org', 'two@example.org'].map((email) => bookAt(bot, startsAt, email)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
      const pending = answers.find(({ status }) => status === 202) as Answer;
      server.sandbox.faults.clear();
      server.sandbox.clock.advance(16_000);
      const { worker } = server.app;
      const body = bookingAt(
        startsAt,
        pending === answers[0] ? 'one@example.org' : 'two@example.org',
      );
      // The job and the visitor, who asks again, both bring it into Google.
      await Promise.all([worker.runDue(), book(server, bot, body), worker.runDue()]);
      expect(await read(bot, pending)).toMatchObject({ status: 'confirmed', inGoogle: true });
      const there = server.sandbox.events(owner).filter(({ start }) => at(start) === startsAt);
      expect(there).toHaveLength(1);
    });

    test('recurring vs single: each occurrence of a series keeps its time, and only that', async () => {
      const bot = await server.connectedBot(owner, { timeZone: 'UTC' });
      const first = freeStart();
      const series = server.sandbox.putEvent(owner, {
        start: { ...utc(first), timeZone: 'UTC' },
        end: { ...utc(first + hour / 2), timeZone: 'UTC' },
        recurrence: ['RRULE:FREQ=DAILY;COUNT=4'],
      });
      const occurrence = (n: number) => {
        const compact = new Date(first + n * day).toISOString().replaceAll(/[-:]|\.\d+/g, '');
        return `${series.id}_${compact}`;
      };
      server.sandbox.putEvent(owner, { id: occurrence(1), status: 'cancelled' });
      server.sandbox.putEvent(owner, { id: occurrence(2), ...span(first + 2 * day + 10 * hour) });
      const status = async (startsAt: number) => (await bookAt(bot, startsAt)).status;
      expect(await status(first)).toBe(409);
      expect(await status(first + day)).toBe(201);
      expect(await status(first + 2 * day)).toBe(201);
      expect(await status(first + 2 * day + 10 * hour)).toBe(409);
      expect(await status(first + 3 * day)).toBe(409);
      expect(await status(first + 4 * day)).toBe(201);
    });
  });

  describe('freebusy', () => {
    test('one of three calendars in error: nothing is free, until it can be read', async () => {
      const email = 'three@example.com';
      const calendars = ['team@group.calendar.google.com', 'home@group.calendar.google.com'];
      server.sandbox.addAccount({
        email,
        timeZone: 'UTC',
        calendars: calendars.map((id) => ({ id, summary: id })),
      });
      const bot = await server.connectedBot(email, { timeZone: 'UTC', busyCalendars: calendars });
      const startsAt = freeStart();
      server.sandbox.putEvent(email, span(startsAt), calendars[1]);
      const fault = server.sandbox.faults.add({
        route: 'events.list',
        after: 2,
        times: 1_000,
        fault: { kind: 'apiError', name: 'backendError' },
      });
      expect(await bookAt(bot, startsAt)).toMatchObject({
        status: 503,
        body: { code: 'calendar_unreachable' },
      });
      fault.remove();
      expect(await bookAt(bot, startsAt)).toMatchObject({
        status: 409,
        body: { code: 'slot_unavailable' },
      });
      expect((await bookAt(bot, freeStart())).status).toBe(201);
    });

    test.each([
      ['403 rate limit', { kind: 'apiError', name: 'userRateLimitExceeded403' }],
      ['timeout', { kind: 'hang', ms: hour }],
    ] as const)(
      '%s: the calendar counts as unread, not as free',
      async (_, fault) => {
        const bot = await server.connectedBot(owner, { timeZone: 'UTC' });
        const startsAt = freeStart();
        server.sandbox.putEvent(owner, span(startsAt));
        // What is remembered may be offered for a minute.
        server.sandbox.clock.advance(61_000);
        const added = server.sandbox.faults.add({ route: 'events.list', times: 1_000, fault });
        const { date } = bookingAt(startsAt);
        const slots = `/api/calendar/slots/${bot}?from=${date}&to=${date}`;
        const answers = await Promise.all([bookAt(bot, startsAt), server.call('GET', slots)]);
        const refused = { status: 503, body: { success: false } };
        expect(answers).toMatchObject([refused, refused]);
        added.remove();
        // A call that hangs is given up after a while, and then the calendar is read again.
        const booked = async () => (await bookAt(bot, startsAt)).status;
        await expect.poll(booked, { timeout: 30_000 }).toBe(409);
      },
      60_000,
    );

    test('a query of 90 days and more, with an event in the last minute of a window', async () => {
      const rules = { timeZone: 'UTC', slotStepMinutes: 5, horizonDays: 730 };
      const bot = await server.connectedBot('grace@example.com', rules);
      const from = Date.parse('2026-09-01T00:00Z');
      const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
      // Ends of what is asked for, of what the mirror holds at first, and of months between.
      const ends = [92, 91, 60, 30].map((days) => from + days * day);
      const mirrored = startOfTests + (120 + 30) * day;
      for (const end of [...ends, mirrored]) {
        server.sandbox.putEvent('grace@example.com', span(end - 60_000, 1));
      }
      const offered = await slotsOf(bot, dateOf(from), dateOf(from + 91 * day));
      expect(offered.length).toBeGreaterThan(20_000);
      for (const end of ends) {
        const over = offered.filter((start) => start < end && start + hour / 2 > end - 60_000);
        expect([new Date(end).toISOString(), over]).toEqual([new Date(end).toISOString(), []]);
        expect((await bookAt(bot, end - hour / 2)).status).toBe(409);
      }
      expect((await bookAt(bot, mirrored - hour / 2)).status).toBe(409);
    });
  });

  describe('time', () => {
    test.each<[string, Record<string, string>, object]>([
      [
        '2026-03-29T02:30 Europe/Berlin is refused as nonexistent',
        { date: '2026-03-29', time: '02:30', timeZone: 'Europe/Berlin' },
        { status: 400, body: { code: 'nonexistent_local_time' } },
      ],
      [
        '2026-10-25T02:30 Europe/Berlin is refused as ambiguous',
        { date: '2026-10-25', time: '02:30', timeZone: 'Europe/Berlin' },
        { status: 400, body: { code: 'ambiguous_local_time' } },
      ],
      [
        'America/Mexico_City has no summer time any more',
        { date: '2026-07-01', time: '10:00', timeZone: 'America/Mexico_City' },
        { status: 201, body: { start: '2026-07-01T10:00:00-06:00' } },
      ],
      [
        'Asia/Kathmandu is 5:45 ahead',
        { date: '2026-07-01', time: '10:15', timeZone: 'Asia/Kathmandu' },
        { status: 201, body: { start: '2026-07-01T10:15:00+05:45' } },
      ],
      [
        'Pacific/Apia lies beyond the date line',
        { date: '2026-07-02', time: '00:30', timeZone: 'Pacific/Apia' },
        { status: 201, body: { start: '2026-07-02T00:30:00+13:00' } },
      ],
      [
        '“Monday 3 March 2026” is a Tuesday',
        { date: '2026-03-03', time: '10:00', timeZone: 'Europe/Berlin', weekday: 'Monday' },
        { status: 400, body: { code: 'weekday_mismatch' } },
      ],
    ])('%s', async (_, when, answer) => {
      const bot = await server.connectedBot('grace@example.com');
      const got = await book(server, bot, bookingOf(when));
      expect(got, got.text).toMatchObject(answer);
    });

    test('an event that began yesterday, and a whole day in a zone at +13, are busy', async () => {
      const email = `apia-${dialect}@example.com`;
      server.sandbox.addAccount({ email, timeZone: 'Pacific/Apia' });
      const bot = await server.connectedBot(email, { timeZone: 'Pacific/Apia' });
      const now = server.sandbox.clock.now();
      server.sandbox.putEvent(email, { start: utc(now - day), end: utc(now + 3 * hour) });
      const bookIn = (ms: number) => {
        const wall = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO('Pacific/Apia');
        const [date, time] = [String(wall.toPlainDate()), String(wall.toPlainTime()).slice(0, 5)];
        return book(server, bot, bookingOf({ date, time }));
      };
      const round = now - (now % (hour / 2)) + hour;
      expect((await bookIn(round)).status).toBe(409);
      expect((await bookIn(round + 3 * hour)).status).toBe(201);
      server.sandbox.putEvent(email, {
        start: { date: '2027-02-10' },
        end: { date: '2027-02-11' },
      });
      const midnight = Date.parse('2027-02-10T00:00+13:00');
      expect((await bookIn(midnight)).status).toBe(409);
      expect((await bookIn(midnight + 23.5 * hour)).status).toBe(409);
      expect((await bookIn(midnight - hour / 2)).status).toBe(201);
      expect((await bookIn(midnight + 24 * hour)).status).toBe(201);
    });
  });
});

function at(moment: { dateTime?: string | null } | null | undefined): number {
  return Date.parse(moment?.dateTime ?? '');
}
