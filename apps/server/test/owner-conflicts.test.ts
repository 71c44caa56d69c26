import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';
import { mirroredBot } from './support/test-mirror.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const nine = Date.parse('2026-02-02T09:00:00Z');
const [ten, eleven, twelve] = [nine + hourMs, nine + 2 * hourMs, nine + 3 * hourMs];

const wallClock = (epochMs: number) => {
  const text = new Date(epochMs).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 16) };
};

describeOnEachDatabase('what the owner puts where something is', (dialect) => {
  let server: TestApp;
  let bot: string;
  let owner: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(async () => {
    server.sandbox.faults.clear();
    ({ botId: bot, email: owner } = await mirroredBot(server, 'UTC'));
    await server.call('PATCH', `/api/bots/${bot}`, { timeZone: 'UTC' });
  });
  afterAll(() => server.close());

  const ask = (at: number, email = 'ada@example.org', further = {}) =>
    book(server, bot, bookingOf({ ...wallClock(at), email, durationMinutes: 60, ...further }));
  const booked = async (at: number, email?: string) => {
    const answer = await ask(at, email);
    expect(answer.status, answer.text).toBe(201);
    return answer;
  };
  const times = (at: number) => ({
    start: { dateTime: new Date(at).toISOString() },
    end: { dateTime: new Date(at + hourMs).toISOString() },
  });
  const put = (event: Record<string, unknown>) => server.sandbox.putEvent(owner, event);
  const drag = (answer: Answer, to: number) => put({ id: answer.body.eventId, ...times(to) });
  const look = async () => {
    server.sandbox.clock.advance(61_000);
    const { status, text } = await server.call('GET', `/api/calendar/slots/${bot}`);
    expect(status, text).toBe(200);
  };
  const read = async ({ body }: Answer) =>
    (await server.call('GET', `/api/calendar/appointments/${bot}/${body.appointmentId}`)).body;
  const cancel = ({ body }: Answer) =>
    server.call('POST', `/api/calendar/cancel-event/${bot}/${body.appointmentId}`);
  const move = ({ body }: Answer, to: number) =>
    server.call(
      'POST',
      `/api/calendar/reschedule-event/${bot}/${body.appointmentId}`,
      wallClock(to),
    );
  const isAt = async (answer: Answer) => Date.parse(String((await read(answer)).start));

  test('an appointment dragged onto another, then moved here, has its time to itself', async () => {
    const [mine, other] = [await booked(nine), await booked(ten, 'b@example.org')];
    drag(mine, ten);
    await look();
    const moved = await move(mine, eleven);
    expect(moved, moved.text).toMatchObject({ status: 200, body: { conflictSince: null } });
    server.sandbox.faults.add({ route: 'events.list', fault: { kind: 'status', status: 503 } });
    expect((await ask(eleven, 'c@example.org')).status).toBe(409);
    await look();
    expect(await read(other)).toMatchObject({ conflictSince: null });
    // Where it was dragged to, nothing of it is left.
    expect((await cancel(other)).status).toBe(200);
    expect((await ask(ten, 'c@example.org')).status).toBe(201);
  });

  test('an appointment dragged onto another can be moved by a part of its length', async () => {
    const [mine] = [await booked(nine), await booked(ten, 'b@example.org')];
    drag(mine, ten + hourMs / 2);
    await look();
    expect((await move(mine, eleven)).status).toBe(200);
  });

  test('stays in conflict while both are there, and no longer', async () => {
    const [mine, other] = [await booked(nine), await booked(ten, 'b@example.org')];
    const lunch = put({ summary: 'Lunch', ...times(twelve) });
    drag(mine, ten);
    await look();
    put({ id: lunch.id, status: 'cancelled' });
    await look();
    for (const each of [mine, other]) {
      expect((await read(each)).conflictSince).toBeTypeOf('number');
    }
    await cancel(other);
    expect(await read(mine)).toMatchObject({ status: 'confirmed', conflictSince: null });
    expect(await isAt(mine)).toBe(ten);
    expect((await ask(ten, 'c@example.org')).status).toBe(409);
  });

  test('an appointment dragged onto an event of the owner’s own is in conflict', async () => {
    const mine = await booked(nine);
    put({ summary: 'Dentist', ...times(eleven) });
    await look();
    drag(mine, eleven);
    await look();
    expect((await read(mine)).conflictSince).toBeTypeOf('number');
    drag(mine, twelve);
    await look();
    expect(await read(mine)).toMatchObject({ conflictSince: null });
  });

  test.each(['that has ended', 'that is live'])('a hold %s gives way', async (which) => {
    const mine = await booked(nine);
    const path = `/api/calendar/hold/${bot}`;
    const held = await server.call('POST', path, { ...wallClock(ten), durationMinutes: 60 });
    expect(held.status).toBe(201);
    if (which === 'that has ended') server.sandbox.clock.advance(6 * minuteMs);
    drag(mine, ten);
    await look();
    expect(await isAt(mine)).toBe(ten);
    expect(await read(mine)).toMatchObject({ conflictSince: null });
    const late = await ask(ten, 'b@example.org', { holdId: held.body.holdId });
    expect(late).toMatchObject({ status: 409 });
  });

  test('one appointment of a customer cannot follow onto another one', async () => {
    const [mine, twin] = [await booked(nine), await booked(ten)];
    drag(mine, ten);
    await look();
    expect(await read(mine)).toMatchObject({
      status: 'confirmed',
      failure: 'already_booked_by_customer',
    });
    expect((await read(mine)).conflictSince).toBeTypeOf('number');
    expect(await isAt(mine)).toBe(nine);
    expect(await read(twin)).toMatchObject({ status: 'confirmed', failure: null });
    drag(mine, nine);
    await look();
    for (const each of [mine, twin]) {
      expect(await read(each)).toMatchObject({ conflictSince: null, failure: null });
    }
  });

  test('an appointment of a customer who has booked anew stays cancelled', async () => {
    const mine = await booked(nine);
    put({ id: mine.body.eventId, status: 'cancelled' });
    await look();
    const anew = await booked(nine);
    put({ id: mine.body.eventId, status: 'confirmed' });
    await look();
    expect(await read(mine)).toMatchObject({ status: 'cancelled' });
    expect((await read(anew)).conflictSince).toBeTypeOf('number');
  });

  test('a copy of an event that is still to be recorded takes its time', async () => {
    server.sandbox.faults.add({ route: 'events.insert', fault: { kind: 'commitThenDrop' } });
    server.sandbox.faults.add({
      route: 'events.get',
      fault: { kind: 'status', status: 503, headers: { 'retry-after': '30' } },
    });
    const pending = await ask(nine);
    expect(pending.status).toBe(202);
    const [event] = server.sandbox.events(owner);
    put({ extendedProperties: event?.extendedProperties, ...times(eleven) });
    await look();
    expect((await ask(eleven, 'b@example.org')).status).toBe(409);
  });
});
