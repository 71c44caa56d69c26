import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type Answer, bootstrapKey, openTestApp, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
const minuteMs = 60_000;

describeOnEachDatabase('after and before booking', (dialect) => {
  let server: TestApp;
  let bot: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    bot = await server.connectedBot(owner, { timeZone: 'UTC' });
  });
  beforeEach(() => server.sandbox.faults.clear());
  afterAll(() => server.close());

  const hold = (slot: object, of = bot) => server.call('POST', `/api/calendar/hold/${of}`, slot);
  const cancel = (id: unknown, of = bot) =>
    server.call('POST', `/api/calendar/cancel-event/${of}/${String(id)}`);
  const move = (id: unknown, to: object, of = bot) =>
    server.call('POST', `/api/calendar/reschedule-event/${of}/${String(id)}`, to);
  const read = (id: unknown) =>
    server.call('GET', `/api/calendar/appointments/${bot}/${String(id)}`);
  const eventOf = ({ body }: Answer) =>
    server.sandbox.events(owner).find(({ id }) => id === body.eventId);
  const booked = async (changes: Record<string, unknown> = {}) => {
    const answer = await book(server, bot, bookingOf(changes));
    expect(answer.status, answer.text).toBe(201);
    return answer;
  };
  const outage = (route: 'events.patch' | 'events.delete' | 'events.insert', times = 1_000) =>
    server.sandbox.faults.add({ route, times, fault: { kind: 'status', status: 503 } });
  const activityOf = async (appointmentId: unknown) => {
    const { body } = await server.call('GET', `/api/activity/${bot}?limit=200`);
    const all = body.activity as { kind: string; subjectId: string; detail: object }[];
    return all.filter(({ subjectId }) => subjectId === appointmentId).map(({ kind }) => kind);
  };

  describe('a hold', () => {
    test('keeps a time from others, and becomes the booking', async () => {
      const slot = freeSlot();
      const held = await hold(slot);
      expect(held).toMatchObject({ status: 201, body: { timeZone: 'UTC' } });
      expect(Number(held.body.expiresAt) - server.sandbox.clock.now()).toBeLessThanOrEqual(
        5 * minuteMs,
      );
      expect(await hold(slot)).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
      const rival = await book(server, bot, bookingOf({ ...slot, email: 'rival@example.org' }));
      expect(rival).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
      const { holdId } = held.body;
      const mine = await book(server, bot, bookingOf({ ...slot, holdId }));
      expect(mine.status).toBe(201);
      expect((await server.call('DELETE', `/api/calendar/hold/${bot}/${holdId}`)).status).toBe(404);
    });

    test('that is released frees the time', async () => {
      const slot = freeSlot();
      const { holdId } = (await hold(slot)).body;
      expect((await server.call('DELETE', `/api/calendar/hold/${bot}/${holdId}`)).status).toBe(204);
      expect((await book(server, bot, bookingOf(slot))).status).toBe(201);
    });

    test('that has ended stands in nobody’s way', async () => {
      const slot = freeSlot();
      const held = await hold({ ...slot, holdMinutes: 1 });
      server.sandbox.clock.advance(minuteMs + 1);
      const rival = await book(server, bot, bookingOf({ ...slot, email: 'rival@example.org' }));
      expect(rival.status).toBe(201);
      const late = await book(server, bot, bookingOf({ ...slot, holdId: held.body.holdId }));
      expect(late).toMatchObject({ status: 409, body: { code: 'hold_expired' } });
      expect(late.body.alternatives).toHaveLength(3);
    });

    test('that has ended books all the same while its time is free', async () => {
      const slot = freeSlot();
      const held = await hold({ ...slot, holdMinutes: 1 });
      server.sandbox.clock.advance(minuteMs + 1);
      const late = await book(server, bot, bookingOf({ ...slot, holdId: held.body.holdId }));
      expect(late.status).toBe(201);
    });

    test('of another bot is not there', async () => {
      const other = await server.connectedBot('grace@example.com');
      const { holdId } = (await hold(freeSlot())).body;
      const released = await server.call('DELETE', `/api/calendar/hold/${other}/${holdId}`);
      expect(released).toMatchObject({ status: 404, body: { code: 'hold_not_found' } });
    });
  });

  describe('a time that is taken', () => {
    test('is refused with the three free ones nearest to it', async () => {
      const first = await booked();
      const { start } = first.body;
      const date = String(start).slice(0, 10);
      const time = String(start).slice(11, 16);
      const refused = await book(server, bot, bookingOf({ date, time, email: 'b@example.org' }));
      expect(refused.status).toBe(409);
      const alternatives = refused.body.alternatives as { start: string; label: string }[];
      expect(alternatives).toHaveLength(3);
      for (const { start: other, label } of alternatives) {
        expect(Math.abs(Date.parse(other) - Date.parse(String(start)))).toBeLessThan(60 * minuteMs);
        expect(refused.body.detail).toContain(label);
        const at = { date: other.slice(0, 10), time: other.slice(11, 16) };
        const held = await hold(at);
        expect(held.status, held.text).toBe(201);
        await server.call('DELETE', `/api/calendar/hold/${bot}/${held.body.holdId}`);
      }
    });
  });

  describe('an idempotency key', () => {
    const send = (body: unknown, key: string, apiKey = bootstrapKey) =>
      server.send(`/api/calendar/create-event/${bot}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
      });

    test('books once, also when the body is written in another order', async () => {
      const body = bookingOf({ answers: { a: '1', b: '2' } });
      const reordered = Object.fromEntries(Object.entries(body).reverse());
      const first = await send(body, 'one');
      expect(first.status).toBe(201);
      expect(await send(reordered, 'one')).toMatchObject({
        status: 200,
        body: { ...first.body, replayed: true },
      });
    });

    test('in parallel books once', async () => {
      const body = bookingOf();
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(body, 'parallel')));
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
      expect(new Set(answers.map(({ body: { eventId } }) => eventId)).size).toBe(1);
    });

    test('with another body is refused', async () => {
      await send(bookingOf(), 'reused');
      expect(await send(bookingOf(), 'reused')).toMatchObject({
        status: 409,
        body: { code: 'idempotency_key_reused' },
      });
    });

    test('is not burned by a refusal', async () => {
      const rival = await booked({ email: 'rival@example.org' });
      const start = String(rival.body.start);
      const body = bookingOf({ date: start.slice(0, 10), time: start.slice(11, 16) });
      expect((await send(body, 'unburned')).status).toBe(409);
      server.sandbox.faults.add({
        route: 'events.insert',
        fault: { kind: 'apiError', name: 'badRequest' },
      });
      expect((await send(bookingOf(), 'unburned')).status).toBe(502);
      expect((await send(bookingOf(), 'unburned')).status).toBe(201);
    });

    test('of another caller is another key', async () => {
      const made = await server.call('POST', '/api/keys', {
        name: 'other',
        scopes: ['appointments:write'],
      });
      expect((await send(bookingOf(), 'shared')).status).toBe(201);
      expect((await send(bookingOf(), 'shared', String(made.body.secret))).status).toBe(201);
    });

    test.each(['', 'k'.repeat(256)])('%# that is no key is refused', async (key) => {
      expect(await send(bookingOf(), key)).toMatchObject({
        status: 400,
        body: { code: 'invalid_idempotency_key' },
      });
    });

    test('replays a booking that was cancelled since, as it is', async () => {
      const body = bookingOf();
      const first = await send(body, 'cancelled');
      await cancel(first.body.appointmentId);
      expect(await send(body, 'cancelled')).toMatchObject({
        status: 200,
        body: { appointmentId: first.body.appointmentId, status: 'cancelled', replayed: true },
      });
    });
  });

  describe('cancelling', () => {
    test('frees the time, deletes the event, and tells the guest', async () => {
      const email = 'cancelled@example.org';
      const answer = await booked({ email });
      const gone = await cancel(answer.body.appointmentId);
      expect(gone).toMatchObject({
        status: 200,
        body: { id: answer.body.appointmentId, status: 'cancelled', inGoogle: true, failure: null },
      });
      expect(eventOf(answer)?.status).toBe('cancelled');
      expect(server.sandbox.mailbox(email).map(({ kind }) => kind)).toEqual(['invite', 'cancel']);
      expect((await cancel(answer.body.appointmentId)).body).toEqual(gone.body);
      expect(await activityOf(answer.body.appointmentId)).toEqual([
        'appointment.cancelled',
        'appointment.confirmed',
      ]);
    });

    test('does not wait for Google: the job deletes the event', async () => {
      const answer = await booked();
      const fault = outage('events.delete');
      const gone = await cancel(answer.body.appointmentId);
      expect(gone).toMatchObject({ status: 200, body: { status: 'cancelled', inGoogle: false } });
      expect(eventOf(answer)?.status).toBe('confirmed');
      fault.remove();
      server.sandbox.clock.advance(16_000);
      await server.app.worker.runDue();
      expect(eventOf(answer)?.status).toBe('cancelled');
      expect((await read(answer.body.appointmentId)).body).toMatchObject({ inGoogle: true });
    });

    test('of what is still pending leaves no event, even if its insert comes late', async () => {
      const fault = server.sandbox.faults.add({
        route: 'events.insert',
        times: 1_000,
        fault: { kind: 'commitThenDrop' },
      });
      const pending = await book(server, bot, bookingOf());
      expect(pending.status).toBe(202);
      fault.remove();
      const id = pending.body.appointmentId;
      expect((await cancel(id)).body).toMatchObject({ status: 'cancelled', inGoogle: true });
      const eventId = String(id).slice('apt-'.length);
      expect(server.sandbox.events(owner).find((event) => event.id === eventId)?.status).toBe(
        'cancelled',
      );
    });

    test('is refused when it is over, and for what is not there', async () => {
      const answer = await booked();
      const appointmentEnd = Date.parse(String(answer.body.end));
      expect(await cancel('apt-none')).toMatchObject({ status: 404 });
      const before = server.sandbox.clock.now();
      server.sandbox.clock.set(appointmentEnd + 1);
      const late = await cancel(answer.body.appointmentId);
      server.sandbox.clock.set(before);
      expect(late).toMatchObject({ status: 409, body: { code: 'appointment_not_active' } });
    });
  });

  describe('moving', () => {
    test('takes the new time, frees the old one, and keeps the event', async () => {
      const email = 'moved@example.org';
      const answer = await booked({ email });
      const to = freeSlot();
      const moved = await move(answer.body.appointmentId, to);
      expect(moved).toMatchObject({
        status: 200,
        body: { status: 'confirmed', eventId: answer.body.eventId, inGoogle: true },
      });
      const event = eventOf(answer);
      expect(Date.parse(event?.start?.dateTime ?? '')).toBe(
        Date.parse(`${to.date}T${to.time}:00Z`),
      );
      expect(event?.sequence).toBe(1);
      expect(server.sandbox.mailbox(email).map(({ kind }) => kind)).toEqual(['invite', 'update']);
      const rival = { ...to, email: 'rival@example.org' };
      expect((await book(server, bot, bookingOf(rival))).status).toBe(409);
      const old = String(answer.body.start);
      const again = { date: old.slice(0, 10), time: old.slice(11, 16), email: 'r@example.org' };
      expect((await book(server, bot, bookingOf(again))).status).toBe(201);
    });

    test('into a time that is taken changes nothing', async () => {
      const [one, two] = [await booked(), await booked()];
      const start = String(two.body.start);
      const taken = { date: start.slice(0, 10), time: start.slice(11, 16) };
      const refused = await move(one.body.appointmentId, taken);
      // The same customer has the other appointment.
      expect(refused).toMatchObject({ status: 409, body: { code: 'already_booked_by_customer' } });
      const rival = await booked({ email: 'rival@example.org' });
      const busy = await move(rival.body.appointmentId, taken);
      expect(busy).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
      expect(busy.body.alternatives).toHaveLength(3);
      expect((await read(one.body.appointmentId)).body).toMatchObject({
        start: one.body.start,
        inGoogle: true,
      });
    });

    test('by a part of its own length is no conflict with itself', async () => {
      const answer = await booked();
      const later = new Date(Date.parse(String(answer.body.start)) + 15 * minuteMs).toISOString();
      const moved = await move(answer.body.appointmentId, {
        date: later.slice(0, 10),
        time: later.slice(11, 16),
      });
      expect(moved.status, moved.text).toBe(200);
    });

    test('does not wait for Google: the job moves the event', async () => {
      const answer = await booked();
      const fault = outage('events.patch');
      const to = freeSlot();
      const moved = await move(answer.body.appointmentId, to);
      expect(moved).toMatchObject({ status: 200, body: { inGoogle: false } });
      fault.remove();
      server.sandbox.clock.advance(16_000);
      await server.app.worker.runDue();
      expect(Date.parse(eventOf(answer)?.start?.dateTime ?? '')).toBe(
        Date.parse(`${to.date}T${to.time}:00Z`),
      );
    });

    test.each(['events.patch', 'events.delete'] as const)(
      'and ending survive a lost answer of %s',
      async (route) => {
        const answer = await booked();
        server.sandbox.faults.add({ route, fault: { kind: 'commitThenDrop' } });
        const id = answer.body.appointmentId;
        const changed = await (route === 'events.patch' ? move(id, freeSlot()) : cancel(id));
        expect(changed).toMatchObject({ status: 200, body: { inGoogle: true } });
        const event = eventOf(answer);
        expect(event?.status).toBe(route === 'events.patch' ? 'confirmed' : 'cancelled');
        expect(server.sandbox.events(owner).filter((one) => one.id === event?.id)).toHaveLength(1);
      },
    );
  });
});
