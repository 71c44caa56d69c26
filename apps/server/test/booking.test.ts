import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { bookingTraces, runSql } from './support/stored.ts';
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';

const ada = 'ada@example.com';
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).sort();
const ids = (answers: readonly Answer[]) => new Set(answers.map(({ body }) => body.appointmentId));

describeOnEachDatabase('booking', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botId = await server.connectedBot(ada);
  });
  beforeEach(() => {
    server.sandbox.faults.clear();
    server.sandbox.requests.clear();
  });
  afterAll(() => server.close());

  const eventsOf = (answer: Answer) =>
    server.sandbox.events(ada).filter(({ id }) => id === answer.body.eventId);
  /** What one attempt added: appointments, claims and events. */
  const added = async (attempt: () => Promise<unknown>) => {
    const before = await bookingTraces(server);
    await attempt();
    const after = await bookingTraces(server);
    const difference = (name: string) => Number(after[name]) - Number(before[name]);
    return [difference('appointments'), difference('claims'), difference(ada)];
  };

  test('puts the whole appointment into the owner’s calendar, and invites the customer', async () => {
    const answer = await book(server, botId, {
      customerName: 'Alan Turing',
      email: 'Alan@Example.org',
      phone: '+44 20 7946 0000',
      date: '2026-07-14',
      time: '10:00',
      notes: 'Rear wheel.',
      answers: { Colour: 'green' },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      success: true,
      status: 'confirmed',
      start: '2026-07-14T10:00:00+02:00',
      end: '2026-07-14T10:30:00+02:00',
      timeZone: 'Europe/Berlin',
      when: 'Tuesday, 14 July 2026 at 10:00 (Europe/Berlin)',
    });
    expect(answer.body.appointmentId).toBe(`apt-${answer.body.eventId}`);
    const [event, ...more] = eventsOf(answer);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      summary: 'Alan Turing',
      description:
        'Name: Alan Turing\nE-mail: alan@example.org\nPhone: +44 20 7946 0000\nColour: green\n\nRear wheel.',
      attendees: [{ email: 'alan@example.org', displayName: 'Alan Turing' }],
      reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1_440 }] },
      guestsCanInviteOthers: false,
      extendedProperties: {
        private: { calhookAppointmentId: answer.body.appointmentId, calhookBotId: botId },
      },
    });
    expect(Date.parse(String(event?.start?.dateTime))).toBe(Date.parse('2026-07-14T08:00:00Z'));
    const [insert] = server.sandbox.requests.of('events.insert');
    expect(insert?.query).toMatchObject({ sendUpdates: 'all' });
    expect(server.sandbox.mailbox('alan@example.org')).toHaveLength(1);
    const read = await server.call(
      'GET',
      `/api/calendar/appointments/${botId}/${answer.body.appointmentId}`,
    );
    expect(read.body).toMatchObject({
      botId,
      status: 'confirmed',
      customerName: 'Alan Turing',
      email: 'alan@example.org',
      start: '2026-07-14T10:00:00+02:00',
      answers: { Colour: 'green' },
      eventId: answer.body.eventId,
      eventLink: answer.body.eventLink,
      failure: null,
    });
  });

  test('lands in the calendar of the bot, and in no other', async () => {
    const grace = await server.connectedBot('grace@example.com');
    const answer = await book(server, grace, bookingOf());
    expect(answer.status).toBe(201);
    expect(eventsOf(answer)).toEqual([]);
    const events = server.sandbox.events('grace@example.com');
    expect(events.filter(({ id }) => id === answer.body.eventId)).toHaveLength(1);
  });

  test('the same booking twice is one appointment and one event', async () => {
    const body = bookingOf();
    const first = await book(server, botId, body);
    const again = await book(server, botId, { ...body, email: ' ALAN@example.org ', notes: 'x' });
    expect(first).toMatchObject({ status: 201 });
    expect(first.body).not.toHaveProperty('replayed');
    expect(again).toMatchObject({
      status: 200,
      body: { ...first.body, replayed: true },
    });
    expect(eventsOf(first)).toHaveLength(1);
    expect(server.sandbox.requests.of('events.insert')).toHaveLength(1);
  });

  test('the same booking ten times in parallel is one appointment and one event', async () => {
    // Some find it pending, others just confirmed: not the same ones each time.
    for (let round = 0; round < 20; round++) {
      const body = bookingOf();
      const inserts = server.sandbox.requests.of('events.insert').length;
      let answers: Answer[] = [];
      const traces = await added(async () => {
        answers = await Promise.all(Array.from({ length: 10 }, () => book(server, botId, body)));
      });
      expect(statuses(answers)).toEqual([...Array(9).fill(200), 201]);
      expect(ids(answers).size).toBe(1);
      expect(traces).toEqual([1, 1, 1]);
      expect(server.sandbox.requests.of('events.insert')).toHaveLength(inserts + 1);
      expect(answers.every(({ body: { status } }) => status === 'confirmed')).toBe(true);
    }
  });

  test('of twenty customers who want one slot, one gets it', async () => {
    const slot = freeSlot();
    let answers: Answer[] = [];
    const traces = await added(async () => {
      answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          book(server, botId, bookingOf({ ...slot, email: `customer${i}@example.org` })),
        ),
      );
    });
    expect(statuses(answers)).toEqual([201, ...Array(19).fill(409)]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ success: false, code: 'slot_unavailable' });
    expect(refused?.body.detail).toContain(slot.time);
    expect(traces).toEqual([1, 1, 1]);
  });

  test.each([
    ['begins inside', '10:15', 30],
    ['ends inside', '09:45', 30],
    ['lies inside', '10:05', 10],
    ['encloses', '09:00', 180],
    ['has the same start', '10:00', 5],
    ['has the same end', '10:25', 5],
  ])('a span that %s a taken one is refused', async (name, time, durationMinutes) => {
    const date = '2026-08-01';
    await book(server, botId, bookingOf({ date, time: '10:00' }));
    const email = `${name.replaceAll(' ', '')}@example.org`;
    const attempt = () => book(server, botId, bookingOf({ date, time, durationMinutes, email }));
    expect(await attempt()).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
    expect(await added(attempt)).toEqual([0, 0, 0]);
  });

  test('neighbours that touch are both booked', async () => {
    const at = (time: string, email: string) =>
      book(server, botId, bookingOf({ date: '2026-08-02', time, email }));
    const answers = await Promise.all([
      at('10:00', 'a@example.org'),
      at('10:30', 'b@example.org'),
      at('09:30', 'c@example.org'),
      at('11:00', 'a@example.org'),
    ]);
    expect(statuses(answers)).toEqual([201, 201, 201, 201]);
  });

  test('two bots of one Google account share its calendar’s free time', async () => {
    const other = await server.connectedBot(ada);
    const slot = freeSlot();
    const answers = await Promise.all([
      book(server, botId, bookingOf(slot)),
      book(server, other, bookingOf(slot)),
    ]);
    expect(statuses(answers)).toEqual([201, 409]);
  });

  test('two bots of different accounts do not', async () => {
    const grace = await server.connectedBot('grace@example.com');
    const slot = freeSlot();
    const answers = await Promise.all([
      book(server, botId, bookingOf(slot)),
      book(server, grace, bookingOf(slot)),
    ]);
    expect(statuses(answers)).toEqual([201, 201]);
  });

  test('what Google did not take for an outage is mended by the same call', async () => {
    const body = bookingOf();
    const outage = server.sandbox.faults.add({
      route: 'events.insert',
      times: 1_000,
      fault: { kind: 'apiError', name: 'backendError' },
    });
    const waiting = await book(server, botId, body);
    expect(waiting).toMatchObject({
      status: 202,
      body: { success: true, status: 'pending', eventId: null, eventLink: null },
    });
    const rows = () =>
      runSql(server.database, `select * from appointments where status = 'pending'`);
    const [pending, ...others] = await rows();
    expect(others).toEqual([]);
    const rival = await book(server, botId, { ...body, email: 'rival@example.org' });
    expect(rival).toMatchObject({ status: 409, body: { code: 'slot_unavailable' } });
    outage.remove();
    const mended = await book(server, botId, body);
    expect(mended).toMatchObject({
      status: 200,
      body: { status: 'confirmed', appointmentId: pending?.id, replayed: true },
    });
    expect(eventsOf(mended)).toHaveLength(1);
    expect(await rows()).toEqual([]);
  });

  test('an answer of Google that is lost is asked for again within the call', async () => {
    server.sandbox.faults.add({ route: 'events.insert', fault: { kind: 'commitThenDrop' } });
    let answer: Answer | undefined;
    const traces = await added(async () => {
      answer = await book(server, botId, bookingOf());
    });
    expect(answer).toMatchObject({ status: 201, body: { status: 'confirmed' } });
    expect(traces).toEqual([1, 1, 1]);
    expect(answer?.body.eventLink).toMatch(/^https?:/);
    expect(server.sandbox.requests.of('events.insert')).toHaveLength(2);
    expect(server.sandbox.requests.of('events.get')).toHaveLength(1);
  });

  test('answers that stay lost are mended by the same call: one event', async () => {
    server.sandbox.faults.add({
      route: 'events.insert',
      times: 1_000,
      fault: { kind: 'commitThenDrop' },
    });
    const body = bookingOf();
    let answers: Answer[] = [];
    const traces = await added(async () => {
      const lost = await book(server, botId, body);
      server.sandbox.faults.clear();
      answers = [lost, await book(server, botId, body)];
    });
    expect(answers).toMatchObject([
      { status: 202, body: { status: 'pending' } },
      { status: 200, body: { status: 'confirmed', replayed: true } },
    ]);
    expect(traces).toEqual([1, 1, 1]);
  });

  test('a booking that Google refuses for good frees its time', async () => {
    server.sandbox.faults.add({
      route: 'events.insert',
      fault: { kind: 'apiError', name: 'badRequest' },
    });
    const body = bookingOf();
    const failed = await book(server, botId, body);
    expect(failed).toMatchObject({
      status: 502,
      body: { code: 'calendar_refused', reason: 'badRequest' },
    });
    const rival = await book(server, botId, { ...body, email: 'rival@example.org' });
    expect(rival.status).toBe(201);
    const list = await server.call('GET', `/api/calendar/appointments/${botId}?limit=2`);
    expect(list.body.appointments).toMatchObject([
      { status: 'confirmed', email: 'rival@example.org' },
      { status: 'failed', email: 'alan@example.org', failure: 'badRequest', eventId: null },
    ]);
  });

  test('an event that the owner deletes before its answer arrives does not come back', async () => {
    server.sandbox.faults.add({
      route: 'events.insert',
      times: 1_000,
      fault: { kind: 'commitThenDrop' },
    });
    const body = bookingOf();
    await book(server, botId, body);
    server.sandbox.faults.clear();
    const [pending] = await runSql(
      server.database,
      `select id from appointments where status = 'pending'`,
    );
    const id = String(pending?.id).slice('apt-'.length);
    server.sandbox.putEvent(ada, { id, status: 'cancelled' });
    const answer = await book(server, botId, body);
    expect(answer).toMatchObject({
      status: 502,
      body: { code: 'calendar_refused', reason: 'deleted_by_owner' },
    });
    expect(server.sandbox.events(ada).find((event) => event.id === id)?.status).toBe('cancelled');
  });

  test('without a calendar nothing is booked', async () => {
    const fresh = 'bot-without-calendar';
    await server.call('POST', '/api/bots', { id: fresh, name: 'Fresh' });
    const left = await server.connectedBot('grace@example.com');
    await server.call('POST', `/api/calendar/disconnect/${left}`);
    for (const bot of [fresh, left]) {
      const attempt = async () => {
        const answer = await book(server, bot, bookingOf());
        expect(answer).toMatchObject({ status: 424, body: { code: 'calendar_not_connected' } });
      };
      expect(await added(attempt)).toEqual([0, 0, 0]);
    }
  });

  test('weekly hours are kept, by the bot’s own clock', async () => {
    const hours = {
      monday: [{ start: '09:00', end: '12:00' }],
      tuesday: [{ start: '20:00', end: '24:00' }],
    };
    const bot = await server.connectedBot('grace@example.com', { weeklyHours: hours });
    const at = async (date: string, time: string, more: Record<string, unknown> = {}) =>
      (await book(server, bot, bookingOf({ date, time, ...more }))).body;
    const monday = '2026-09-07';
    expect(await at(monday, '08:59')).toMatchObject({ code: 'outside_hours', status: 422 });
    expect(await at(monday, '09:00')).toMatchObject({ success: true });
    expect(await at(monday, '11:30')).toMatchObject({ success: true });
    expect(await at(monday, '11:31', { email: 'b@example.org' })).toMatchObject({
      code: 'outside_hours',
    });
    expect(await at('2026-09-08', '23:30')).toMatchObject({ success: true });
    expect(await at('2026-09-09', '10:00')).toMatchObject({ code: 'outside_hours' });
    // 05:00 in New York is 11:00 in Berlin; half past is too late for 60 minutes.
    const newYork = { timeZone: 'America/New_York' };
    expect(await at('2026-09-14', '05:00', newYork)).toMatchObject({ success: true });
    expect(await at('2026-09-14', '05:30', { ...newYork, durationMinutes: 60 })).toMatchObject({
      code: 'outside_hours',
    });
  });
});
