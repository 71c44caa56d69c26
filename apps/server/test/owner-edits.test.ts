import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
const hourMs = 3_600_000;

describeOnEachDatabase('what the owner does in Google', (dialect) => {
  let server: TestApp;
  let botOfOwner: string;
  let bot: string;
  let appointment: Answer;
  let startsAt: number;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botOfOwner = await server.connectedBot(owner, { timeZone: 'UTC' });
  });
  beforeEach(async () => {
    bot = botOfOwner;
    freeSlot();
    appointment = await book(server, bot, bookingOf({ timeZone: 'Europe/Berlin' }));
    expect(appointment.status, appointment.text).toBe(201);
    startsAt = Date.parse(String(appointment.body.start));
    // Two hours around it are nobody else's.
    for (let i = 0; i < 4; i++) freeSlot();
  });
  afterAll(() => server.close());

  const edit = (change: object) =>
    server.sandbox.putEvent(owner, { id: String(appointment.body.eventId), ...change });
  const at = (epochMs: number) => ({ dateTime: new Date(epochMs).toISOString() });
  /** What the server makes of it at its next look at the calendar. */
  const seen = async () => {
    server.sandbox.clock.advance(61_000);
    const slots = await server.call('GET', `/api/calendar/slots/${bot}`);
    expect(slots.status).toBe(200);
    const path = `/api/calendar/appointments/${bot}/${appointment.body.appointmentId}`;
    return (await server.call('GET', path)).body;
  };
  const event = () =>
    server.sandbox.events(owner).find(({ id }) => id === appointment.body.eventId);
  const slotAt = (epochMs: number) => {
    const text = new Date(epochMs).toISOString();
    return { date: text.slice(0, 10), time: text.slice(11, 16), timeZone: 'UTC' };
  };
  const bookAt = (epochMs: number) =>
    book(server, bot, bookingOf({ ...slotAt(epochMs), email: 'rival@example.org' }));
  const activity = async () => {
    const { body } = await server.call('GET', `/api/activity/${bot}?limit=200`);
    return (body.activity as { kind: string; subjectId: string; detail: object }[])
      .filter(({ subjectId }) => subjectId === appointment.body.appointmentId)
      .map(({ kind, detail }) => ({ kind, ...detail }));
  };

  test('moves: the appointment moves with its event, and its old time is free', async () => {
    edit({ start: at(startsAt + hourMs), end: at(startsAt + 1.5 * hourMs) });
    const moved = await seen();
    expect(moved).toMatchObject({ status: 'confirmed', inGoogle: true, conflictSince: null });
    expect(Date.parse(String(moved.start))).toBe(startsAt + hourMs);
    expect(String(moved.start)).toMatch(/\+0[12]:00$/);
    expect((await activity())[0]).toEqual({ kind: 'appointment.rescheduled', by: 'owner' });
    expect((await bookAt(startsAt)).status).toBe(201);
    expect((await bookAt(startsAt + hourMs)).status).toBe(409);
  });

  test('makes it longer: the appointment takes the longer time', async () => {
    edit({ start: at(startsAt), end: at(startsAt + hourMs) });
    const longer = await seen();
    expect(Date.parse(String(longer.end)) - Date.parse(String(longer.start))).toBe(hourMs);
    expect((await bookAt(startsAt + hourMs / 2)).status).toBe(409);
  });

  test('says the same time in another zone: nothing is changed', async () => {
    const before = await seen();
    const zone = 'Asia/Kathmandu';
    edit({
      start: { ...at(startsAt), timeZone: zone },
      end: { ...at(startsAt + hourMs / 2), timeZone: zone },
    });
    expect(await seen()).toEqual(before);
  });

  test('deletes it: the appointment is cancelled, and its time is free', async () => {
    edit({ status: 'cancelled' });
    expect(await seen()).toMatchObject({ status: 'cancelled', inGoogle: true });
    expect((await activity())[0]).toEqual({ kind: 'appointment.cancelled', by: 'owner' });
    expect((await bookAt(startsAt)).status).toBe(201);
  });

  test('takes it out of the bin: the appointment stands again', async () => {
    edit({ status: 'cancelled' });
    expect(await seen()).toMatchObject({ status: 'cancelled' });
    edit({
      status: 'confirmed',
      start: at(startsAt),
      end: at(startsAt + hourMs / 2),
    });
    expect(await seen()).toMatchObject({ status: 'confirmed', inGoogle: true });
    expect((await bookAt(startsAt)).status).toBe(409);
  });

  test('puts an event over it: that is noticed, shown, and taken back when it goes', async () => {
    const dentist = server.sandbox.putEvent(owner, {
      summary: 'Dentist',
      start: at(startsAt),
      end: at(startsAt + hourMs),
    });
    const inConflict = await seen();
    expect(inConflict).toMatchObject({ status: 'confirmed', inGoogle: true });
    expect(inConflict.conflictSince).toBeTypeOf('number');
    expect((await activity())[0]).toEqual({ kind: 'appointment.conflict' });
    expect(await seen()).toEqual(inConflict);
    server.sandbox.putEvent(owner, { id: String(dentist.id), status: 'cancelled' });
    expect(await seen()).toMatchObject({ conflictSince: null });
    expect((await activity())[0]).toEqual({ kind: 'appointment.conflict_resolved' });
  });

  test('moves it onto another appointment: both keep their word, and the conflict is shown', async () => {
    const other = await bookAt(startsAt + hourMs);
    expect(other.status).toBe(201);
    edit({ start: at(startsAt + hourMs), end: at(startsAt + 1.5 * hourMs) });
    const moved = await seen();
    expect(moved).toMatchObject({ status: 'confirmed', inGoogle: true });
    expect(moved.conflictSince).toBeTypeOf('number');
    expect(Date.parse(String(moved.start))).toBe(startsAt + hourMs);
    const path = `/api/calendar/appointments/${bot}/${other.body.appointmentId}`;
    expect((await server.call('GET', path)).body.conflictSince).toBeTypeOf('number');
    // It holds no claim, but its event is in the way of others all the same.
    await server.call('POST', `/api/calendar/cancel-event/${bot}/${other.body.appointmentId}`);
    expect((await bookAt(startsAt + hourMs)).status).toBe(409);
    expect((await bookAt(startsAt)).status).toBe(201);
  });

  test('changes it while a change made here waits: the one made here comes to be', async () => {
    const fault = server.sandbox.faults.add({
      route: 'events.patch',
      times: 1_000,
      fault: { kind: 'status', status: 503 },
    });
    const to = freeSlot();
    const path = `/api/calendar/reschedule-event/${bot}/${appointment.body.appointmentId}`;
    expect((await server.call('POST', path, { ...to, timeZone: 'Europe/Berlin' })).status).toBe(
      200,
    );
    edit({ start: at(startsAt + hourMs), end: at(startsAt + 1.5 * hourMs) });
    await seen();
    fault.remove();
    await server.app.worker.runDue();
    const wanted = Date.parse(`${to.date}T${to.time}:00+02:00`);
    expect(Date.parse(String((await seen()).start))).toBe(wanted);
    expect(Date.parse(event()?.start?.dateTime ?? '')).toBe(wanted);
  });

  test('deletes it while a change made here waits: it stays deleted', async () => {
    const fault = server.sandbox.faults.add({
      route: 'events.patch',
      times: 1_000,
      fault: { kind: 'status', status: 503 },
    });
    const path = `/api/calendar/reschedule-event/${bot}/${appointment.body.appointmentId}`;
    await server.call('POST', path, { ...freeSlot(), timeZone: 'Europe/Berlin' });
    edit({ status: 'cancelled' });
    expect(await seen()).toMatchObject({ status: 'cancelled' });
    fault.remove();
    await server.app.worker.runDue();
    expect(event()?.status).toBe('cancelled');
  });

  test('copies it: the copy is an event of the owner’s own', async () => {
    const original = event();
    server.sandbox.putEvent(owner, {
      summary: 'Copy',
      start: at(startsAt + hourMs),
      end: at(startsAt + 2 * hourMs),
      ...(original?.extendedProperties ? { extendedProperties: original.extendedProperties } : {}),
    });
    expect(Date.parse(String((await seen()).start))).toBe(startsAt);
    expect((await bookAt(startsAt + hourMs)).status).toBe(409);
  });

  test('changes its zone: the wall clock stays, the instant moves, and the appointment with it', async () => {
    const wallAt = (epochMs: number) => ({
      dateTime: new Date(epochMs).toISOString().slice(0, 19),
      timeZone: 'Asia/Kathmandu',
    });
    edit({ start: wallAt(startsAt), end: wallAt(startsAt + hourMs / 2) });
    const moved = await seen();
    expect(Date.parse(String(moved.start))).toBe(startsAt - 5.75 * hourMs);
    expect((await bookAt(startsAt)).status).toBe(201);
  });

  test('removes the guest: the appointment stands, and moving it does not invite them again', async () => {
    edit({ attendees: [] });
    expect(await seen()).toMatchObject({ status: 'confirmed', inGoogle: true });
    expect((await bookAt(startsAt)).status).toBe(409);
    const path = `/api/calendar/reschedule-event/${bot}/${appointment.body.appointmentId}`;
    const moved = await server.call('POST', path, slotAt(startsAt + hourMs));
    expect(moved).toMatchObject({ status: 200, body: { inGoogle: true } });
    expect(event()?.attendees ?? []).toEqual([]);
    expect(Date.parse(event()?.start?.dateTime ?? '')).toBe(startsAt + hourMs);
  });

  test('declines it: what was booked keeps its time until it is cancelled', async () => {
    const guests = event()?.attendees ?? [];
    edit({ attendees: [...guests, { email: owner, responseStatus: 'declined' }] });
    expect(await seen()).toMatchObject({ status: 'confirmed' });
    expect((await bookAt(startsAt)).status).toBe(409);
    const path = `/api/calendar/cancel-event/${bot}/${appointment.body.appointmentId}`;
    expect((await server.call('POST', path)).status).toBe(200);
    expect((await bookAt(startsAt)).status).toBe(201);
  });

  test('makes a series of it and edits one instance: every occurrence keeps its time', async () => {
    const weekMs = 7 * 24 * hourMs;
    edit({ recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    await seen();
    const second = startsAt + weekMs;
    const original = new Date(second).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    edit({
      id: `${appointment.body.eventId}_${original}`,
      start: at(second + 2 * hourMs),
      end: at(second + 3 * hourMs),
    });
    await seen();
    const statuses: number[] = [];
    for (const start of [startsAt, second, second + 2 * hourMs, second + weekMs]) {
      statuses.push((await bookAt(start)).status);
    }
    expect(statuses).toEqual([409, 201, 409, 409]);
  });

  test('moves it to another calendar: it has left the bot’s, and takes its time where that is followed', async () => {
    const other = `other-${dialect}@group.calendar.google.com`;
    const email = `mover-${dialect}@example.com`;
    server.sandbox.addAccount({
      email,
      timeZone: 'UTC',
      calendars: [{ id: other, summary: 'Other' }],
    });
    bot = await server.connectedBot(email, { timeZone: 'UTC', busyCalendars: [other] });
    appointment = await bookAt(startsAt);
    expect(appointment.status, appointment.text).toBe(201);
    const id = String(appointment.body.eventId);
    const { start, end, extendedProperties } = server.sandbox.events(email)[0] ?? {};
    server.sandbox.putEvent(email, { id, status: 'cancelled' });
    server.sandbox.putEvent(email, { id, start, end, extendedProperties }, other);
    expect(await seen()).toMatchObject({ status: 'cancelled' });
    expect((await bookAt(startsAt)).status).toBe(409);
    server.sandbox.putEvent(email, { id, status: 'cancelled' }, other);
    expect((await bookAt(startsAt)).status).toBe(201);
  });
});
