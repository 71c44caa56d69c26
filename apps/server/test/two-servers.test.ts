import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

/** How soon a server must know what another one did, in milliseconds. */
const soon = 3_000;

describeOnEachDatabase('two servers on one database', (dialect) => {
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    first = await openTestApp({ dialect });
    const { database, sandbox } = first;
    second = await openTestApp({ dialect, database, sandbox });
  });
  afterAll(async () => {
    await second.close();
    await first.close();
  });

  const statusOn = (server: TestApp, botId: string, key?: string) =>
    server.call('GET', `/api/calendar/status/${botId}`, undefined, key);

  test('a key that one revokes is refused by the other', async () => {
    const botId = await first.connectedBot();
    const made = await first.call('POST', '/api/keys', { name: 'Shared' });
    const key = String(made.body.secret);
    expect((await statusOn(second, botId, key)).status).toBe(200);
    await first.call('DELETE', `/api/keys/${key.split('_')[1]}`);
    await vi.waitFor(
      async () => expect((await statusOn(second, botId, key)).status).toBe(401),
      soon,
    );
  });

  test('a bot that one disconnects is not booked by the other', async () => {
    const botId = await first.connectedBot('grace@example.com');
    expect((await book(second, botId, bookingOf())).status).toBe(201);
    expect((await statusOn(second, botId)).body.connected).toBe(true);
    await first.call('POST', `/api/calendar/disconnect/${botId}`);
    await vi.waitFor(
      async () => expect((await statusOn(second, botId)).body.connected).toBe(false),
      soon,
    );
    expect(await book(second, botId, bookingOf())).toMatchObject({
      status: 424,
      body: { code: 'calendar_not_connected' },
    });
  });

  test('a bot that one connects again is booked by the other', async () => {
    const botId = await first.connectedBot('grace@example.com');
    expect((await book(second, botId, bookingOf())).status).toBe(201);
    first.sandbox.revokeGrants('grace@example.com');
    expect((await book(second, botId, bookingOf())).status).toBe(424);
    await vi.waitFor(
      async () => expect((await statusOn(first, botId)).body.expired).toBe(true),
      soon,
    );
    const link = await first.call('POST', `/api/calendar/connect/${botId}`);
    await connectAs(first.sandbox, String(link.body.url), { account: 'grace@example.com' });
    await vi.waitFor(
      async () => expect((await statusOn(second, botId)).body.expired).toBe(false),
      soon,
    );
    expect((await book(second, botId, bookingOf())).status).toBe(201);
  });

  test('a bot that one changes or deletes is changed or gone for the other', async () => {
    const botId = await first.connectedBot();
    const nameOn = async (server: TestApp) =>
      (await server.call('GET', `/api/bots/${botId}`)).body.name;
    expect(await nameOn(second)).toBe('Bot of ada@example.com');
    expect((await statusOn(second, botId)).status).toBe(200);
    await first.call('PATCH', `/api/bots/${botId}`, { name: 'Renamed' });
    await vi.waitFor(async () => expect(await nameOn(second)).toBe('Renamed'), soon);
    await first.call('DELETE', `/api/bots/${botId}`);
    await vi.waitFor(async () => {
      expect((await statusOn(second, botId)).status).toBe(404);
      expect((await book(second, botId, bookingOf())).status).toBe(404);
    }, soon);
  });

  test('one slot is booked once, whichever server is asked', async () => {
    const botId = await first.connectedBot();
    const slot = freeSlot();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        book(i % 2 ? first : second, botId, bookingOf({ ...slot, email: `c${i}@example.org` })),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  test('slots that one keeps follow what is booked at the other', async () => {
    const botId = await first.connectedBot('ada@example.com', { timeZone: 'UTC' });
    const body = bookingOf();
    const path = `/api/calendar/slots/${botId}?from=${body.date}&to=${body.date}`;
    const offered = async () => {
      const { body: answer } = await first.call('GET', path);
      return (answer.slots as { time: string }[]).some(({ time }) => time === body.time);
    };
    expect(await offered()).toBe(true);
    expect((await book(second, botId, body)).status).toBe(201);
    await expect.poll(offered).toBe(false);
  });

  test('a list that one asked for before the other moved an event does not move it back', async () => {
    const botId = await first.connectedBot('grace@example.com');
    expect((await book(second, botId, bookingOf())).status).toBe(201);
    const booked = await book(second, botId, bookingOf());
    const { sandbox } = first;
    // Google has made up its answer, and takes a second to send it.
    const late = sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'slow', bytesPerSecond: 1_000 },
    });
    const meanwhile = book(first, botId, bookingOf({ email: 'meanwhile@example.org' }));
    await expect.poll(() => late.hits).toBe(1);
    const to = freeSlot();
    const path = `/api/calendar/reschedule-event/${botId}/${booked.body.appointmentId}`;
    const moved = await second.call('POST', path, to);
    expect(moved).toMatchObject({ status: 200, body: { inGoogle: true } });
    expect((await meanwhile).status).toBe(201);
    const { body } = await first.call(
      'GET',
      `/api/calendar/appointments/${botId}/${booked.body.appointmentId}`,
    );
    expect(body).toMatchObject({ start: moved.body.start, conflictSince: null });
    const rival = await book(second, botId, bookingOf({ ...to, email: 'rival@example.org' }));
    expect(rival).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
  });

  test('a full list that one asked for before the other booked does not cancel the booking', async () => {
    const { database, sandbox } = first;
    const slow = await openTestApp({ dialect, database, sandbox, clockOffsetMs: -30_000 });
    const botId = await first.connectedBot('grace@example.com');
    expect((await book(slow, botId, bookingOf())).status).toBe(201);
    // By the clock of the first, the calendar is to be listed anew; by the slow one not yet.
    sandbox.clock.advance(24 * 3_600_000 - 15_000);
    const late = sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'slow', bytesPerSecond: 1_000 },
    });
    const meanwhile = book(first, botId, bookingOf({ email: 'meanwhile@example.org' }));
    await expect.poll(() => late.hits).toBe(1);
    const booked = await book(slow, botId, bookingOf());
    expect(booked.status).toBe(201);
    await meanwhile;
    const path = `/api/calendar/appointments/${botId}/${booked.body.appointmentId}`;
    expect((await first.call('GET', path)).body).toMatchObject({ status: 'confirmed' });
    await slow.close();
  });

  test('the same booking at both is one appointment and one event', async () => {
    const botId = await first.connectedBot();
    const body = bookingOf();
    first.sandbox.requests.clear();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => book(i % 2 ? first : second, botId, body)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map((answer) => answer.body.appointmentId)).size).toBe(1);
    const { eventId } = answers[0]?.body ?? {};
    const events = first.sandbox.events('ada@example.com').filter(({ id }) => id === eventId);
    expect(events).toHaveLength(1);
  });
});

describeOnEachDatabase('a server that starts again', (dialect) => {
  test('has everything that it had', async () => {
    const before = await openTestApp({ dialect });
    const { database, sandbox } = before;
    const botId = await before.connectedBot();
    const key = await before.call('POST', '/api/keys', { name: 'Kept', botIds: [botId] });
    const body = bookingOf();
    const booked = await book(before, botId, body);
    const pending = bookingOf();
    sandbox.faults.add({ route: 'events.insert', times: 1_000, fault: { kind: 'reset' } });
    expect((await book(before, botId, pending)).status).toBe(202);
    sandbox.faults.clear();
    const paths = [
      '/api/bots',
      `/api/calendar/status/${botId}`,
      `/api/calendar/appointments/${botId}`,
    ];
    // Links name the address of the server, and this one is started at another.
    const read = async (server: TestApp) => {
      const answers = await Promise.all(paths.map((path) => server.call('GET', path)));
      return answers.map(({ text }) => text.replaceAll(server.url, ''));
    };
    const seen = await read(before);
    await before.app.close();

    const after = await openTestApp({ dialect, database, sandbox });
    expect(await read(after)).toEqual(seen);
    expect(await book(after, botId, body, String(key.body.secret))).toMatchObject({
      status: 200,
      body: { replayed: true, appointmentId: booked.body.appointmentId },
    });
    expect(await book(after, botId, pending)).toMatchObject({
      status: 200,
      body: { status: 'confirmed' },
    });
    expect((await book(after, botId, bookingOf())).status).toBe(201);
    await after.close();
    await sandbox.close();
    await database.drop();
  });
});
