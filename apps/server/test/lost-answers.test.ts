import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';
const forTheWholeCall = 1_000;

/** What each change does in Google, and of what the customer is told. */
const changes = [
  ['events.insert', ['invite']],
  ['events.patch', ['invite', 'update']],
  ['events.delete', ['invite', 'cancel']],
] as const;
type Route = (typeof changes)[number][0];

describeOnEachDatabase('a change that Google made, and whose answer is lost,', (dialect) => {
  let server: TestApp;
  let bot: string;
  let customers = 0;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    bot = await server.connectedBot(owner, { timeZone: 'UTC' });
  });
  beforeEach(() => server.sandbox.faults.clear());
  afterAll(() => server.close());

  /** Makes a change whose answers are lost so often. */
  const lose = async (route: Route, times: number) => {
    const body = bookingOf({ email: `lost-${customers++}@example.org` });
    const to = freeSlot();
    const booked = route === 'events.insert' ? null : await book(server, bot, body);
    const fault = server.sandbox.faults.add({ route, times, fault: { kind: 'commitThenDrop' } });
    const path = (verb: string) =>
      `/api/calendar/${verb}-event/${bot}/${String(booked?.body.appointmentId)}`;
    const calls: Readonly<Record<Route, () => Promise<Answer>>> = {
      'events.insert': () => book(server, bot, body),
      'events.patch': () => server.call('POST', path('reschedule'), to),
      'events.delete': () => server.call('POST', path('cancel')),
    };
    const answer = await calls[route]();
    expect(fault.hits).toBeGreaterThan(0);
    fault.remove();
    const id = String(booked?.body.appointmentId ?? answer.body.appointmentId);
    const { date, time } = route === 'events.patch' ? to : (body as typeof to);
    return { id, answer, repeat: calls[route], email: String(body.email), at: `${date}T${time}Z` };
  };

  /** Checks that there is one event in the right state, and that everybody knows of it. */
  const expectDone = async (
    route: Route,
    { id, email, at }: Awaited<ReturnType<typeof lose>>,
    mails: readonly string[],
  ) => {
    const status = route === 'events.delete' ? 'cancelled' : 'confirmed';
    const read = await server.call('GET', `/api/calendar/appointments/${bot}/${id}`);
    expect(read.body).toMatchObject({ status, inGoogle: true, failure: null });
    expect(Date.parse(String(read.body.start))).toBe(Date.parse(at));
    const [event, ...more] = server.sandbox
      .events(owner)
      .filter(({ attendees }) => attendees?.some((attendee) => attendee.email === email));
    expect(more).toEqual([]);
    expect([event?.id, event?.status]).toEqual([read.body.eventId, status]);
    expect(Date.parse(event?.start?.dateTime ?? '')).toBe(Date.parse(at));
    expect(server.sandbox.mailbox(email).map(({ kind }) => kind)).toEqual(mails);
    const jobs = await runSql(server.database, `select key from jobs where key = '${id}'`);
    expect(jobs).toEqual([]);
  };

  test.each(changes)('is found within the call: %s', async (route, mails) => {
    const lost = await lose(route, 1);
    expect([200, 201]).toContain(lost.answer.status);
    await expectDone(route, lost, mails);
  });

  test.each(changes)('for the whole call, is found by the job: %s', async (route, mails) => {
    const lost = await lose(route, forTheWholeCall);
    const waits = route === 'events.insert' ? { status: 'pending' } : { inGoogle: false };
    expect(lost.answer.body).toMatchObject(waits);
    server.sandbox.clock.advance(16_000);
    await server.app.worker.runDue();
    await expectDone(route, lost, mails);
  });

  test.each(changes)('for the whole call and the job, is found later: %s', async (route, mails) => {
    const lost = await lose(route, forTheWholeCall);
    const still = server.sandbox.faults.add({
      route,
      times: forTheWholeCall,
      fault: { kind: 'commitThenDrop' },
    });
    server.sandbox.clock.advance(16_000);
    await server.app.worker.runDue();
    still.remove();
    server.sandbox.clock.advance(5 * 60_000);
    await server.app.worker.runDue();
    await expectDone(route, lost, mails);
  });

  test('for the whole call, is found by the same call', async () => {
    const lost = await lose('events.insert', forTheWholeCall);
    expect(await lost.repeat()).toMatchObject({ status: 200, body: { replayed: true } });
    await expectDone('events.insert', lost, ['invite']);
  });
});
