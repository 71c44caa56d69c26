import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
const graceMs = 16_000;

describeOnEachDatabase('while the calendar cannot be read', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(() => server.sandbox.faults.clear());
  afterAll(() => server.close());

  const outage = () =>
    server.sandbox.faults.add({
      route: 'events.list',
      times: 1_000,
      fault: { kind: 'status', status: 503 },
    });
  const read = async (bot: string, id: unknown) =>
    (await server.call('GET', `/api/calendar/appointments/${bot}/${String(id)}`)).body;
  const runJobs = async () => {
    server.sandbox.clock.advance(graceMs);
    await server.app.worker.runDue();
  };

  test('nothing is booked, held or moved, and nothing is stored', async () => {
    const bot = await server.connectedBot(owner, { timeZone: 'UTC' });
    const standing = await book(server, bot, bookingOf());
    expect(standing.status).toBe(201);
    outage();
    const slot = bookingOf();
    const refused = { status: 503, body: { success: false, code: 'calendar_unreachable' } };
    expect(await book(server, bot, slot)).toMatchObject(refused);
    const time = { date: slot.date, time: slot.time };
    expect(await server.call('POST', `/api/calendar/hold/${bot}`, time)).toMatchObject(refused);
    const path = `/api/calendar/reschedule-event/${bot}/${standing.body.appointmentId}`;
    expect(await server.call('POST', path, time)).toMatchObject(refused);
    const list = await server.call('GET', `/api/calendar/appointments/${bot}`);
    expect(list.body.appointments).toHaveLength(1);
    expect((await read(bot, standing.body.appointmentId)).start).toBe(standing.body.start);
  });

  test('what was booked before is answered all the same', async () => {
    const bot = await server.connectedBot(owner, { timeZone: 'UTC' });
    const body = bookingOf();
    const first = await book(server, bot, body);
    outage();
    expect(await book(server, bot, body)).toMatchObject({
      status: 200,
      body: { appointmentId: first.body.appointmentId, replayed: true },
    });
  });

  test('a bot that accepts it books as pending, until the calendar says that the time is free', async () => {
    const bot = await server.connectedBot(owner, { timeZone: 'UTC', acceptPending: true });
    outage();
    const pending = await book(server, bot, bookingOf());
    expect(pending).toMatchObject({ status: 202, body: { status: 'pending', eventId: null } });
    await runJobs();
    const { appointmentId } = pending.body;
    expect(await read(bot, appointmentId)).toMatchObject({ status: 'pending', inGoogle: false });
    server.sandbox.faults.clear();
    server.sandbox.clock.advance(10 * 60_000);
    await server.app.worker.runDue();
    expect(await read(bot, appointmentId)).toMatchObject({ status: 'confirmed', inGoogle: true });
    expect(server.sandbox.events(owner).map(({ id }) => id)).toContain(
      String(appointmentId).slice('apt-'.length),
    );
  });

  test('or that it is not: then the booking fails, visibly, and without an event', async () => {
    const bot = await server.connectedBot(owner, { timeZone: 'UTC', acceptPending: true });
    const body = bookingOf();
    outage();
    const pending = await book(server, bot, body);
    expect(pending.status).toBe(202);
    server.sandbox.putEvent(owner, {
      start: { dateTime: `${body.date}T${body.time}:00Z` },
      end: { dateTime: `${body.date}T23:59:00Z` },
    });
    server.sandbox.faults.clear();
    await runJobs();
    expect(await read(bot, pending.body.appointmentId)).toMatchObject({
      status: 'failed',
      failure: 'slot_unavailable',
      eventId: null,
    });
    const { body: page } = await server.call('GET', `/api/activity/${bot}`);
    expect((page.activity as { kind: string }[])[0]?.kind).toBe('appointment.failed');
  });

  test('one of the owner’s further calendars that cannot be read blocks as well', async () => {
    const bot = await server.connectedBot('grace@example.com', {
      timeZone: 'UTC',
      busyCalendars: ['nobody@group.calendar.google.com'],
    });
    const refused = await book(server, bot, bookingOf());
    expect(refused).toMatchObject({ status: 424, body: { code: 'calendar_not_found' } });
    const slots = await server.call('GET', `/api/calendar/slots/${bot}`);
    expect(slots).toMatchObject({ status: 424, body: { code: 'calendar_not_found' } });
  });
});
