import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Milestone } from '../../apps/server/src/appointments/milestones.ts';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import { describeOnEachDatabase } from '../../apps/server/test/support/databases.ts';
import { runSql } from '../../apps/server/test/support/stored.ts';
import { type Answer, anyTime } from '../../apps/server/test/support/test-app.ts';
import { type MortalServer, type Reached, startMortalServer } from './mortal-server.ts';

/** How often each point is hit: appointments that had come exactly so far when the server died. */
const hitsWanted = process.env.CALHOOK_LONG ? 50 : 1;
const timeout = Math.max(60_000, hitsWanted * 30_000);
/** Requests under way when the server dies, each to a bot of its own. */
const flights = 16;
/** The last bots share calendars with the first ones. */
const owners = 12;
const halfHourMs = 30 * 60_000;
const farAheadMs = 60 * 86_400_000;

/** `withdraw` is to cancel what Google has not confirmed yet. */
type Operation = 'book' | 'cancel' | 'withdraw' | 'reschedule';
const ofRequests: readonly (readonly [Operation, Milestone])[] = [
  ['book', 'calendar-read'],
  ['book', 'stored'],
  ['book', 'event-sending'],
  ['book', 'event-written'],
  ['book', 'event-recorded'],
  ['book', 'answering'],
  ['cancel', 'stored'],
  ['cancel', 'event-sending'],
  ['cancel', 'event-written'],
  ['cancel', 'event-recorded'],
  ['cancel', 'answering'],
  ['withdraw', 'stored'],
  ['withdraw', 'event-sending'],
  ['withdraw', 'event-written'],
  ['withdraw', 'event-recorded'],
  ['withdraw', 'answering'],
  ['reschedule', 'calendar-read'],
  ['reschedule', 'stored'],
  ['reschedule', 'event-sending'],
  ['reschedule', 'event-written'],
  ['reschedule', 'event-recorded'],
  ['reschedule', 'answering'],
];
const ofJobs = ofRequests.filter(([, milestone]) => /^event-/.test(milestone));

/** One customer's request, and what became of it. */
interface Flight {
  readonly bot: string;
  readonly owner: string;
  readonly booking: { customerName: string; email: string; date: string; time: string };
  /** Where it is moved to. */
  readonly to: { date: string; time: string };
  /** The booking before it is changed; null: the booking is what the server dies of. */
  booked: Answer | null;
  /** What the caller was told; null: nothing. */
  answer: Answer | null;
}

/** An instant as requests to a bot in UTC name it. */
function at(instant: number): { date: string; time: string } {
  const text = new Date(instant).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 16) };
}

/** When something is, in epoch milliseconds. */
function startOf({ date, time }: { date: string; time: string }): number {
  return Date.parse(`${date}T${time}:00Z`);
}

describeOnEachDatabase('a server that is killed', (dialect) => {
  let server: MortalServer;
  const bots: { bot: string; owner: string }[] = [];
  const firstSlot = Math.ceil((Date.now() + farAheadMs) / halfHourMs) * halfHourMs;
  let slots = 0;
  const freeSlot = () => at(firstSlot + slots++ * halfHourMs);

  beforeAll(async () => {
    server = await startMortalServer(dialect);
    const { sandbox, call } = server;
    for (let i = 0; i < flights; i++) {
      const [bot, owner] = [`bot-${i}`, `owner-${i % owners}@example.com`];
      if (i < owners) sandbox.addAccount({ email: owner, timeZone: 'UTC' });
      await call('POST', '/api/bots', { id: bot, name: bot, timeZone: 'UTC', ...anyTime });
      const link = await call('POST', `/api/calendar/connect/${bot}`);
      const page = await connectAs(sandbox, String(link.body.url), { account: owner });
      expect(page.status).toBe(200);
      bots.push({ bot, owner });
    }
  });
  afterAll(() => server.close());

  const newFlights = (): Flight[] =>
    bots.map(({ bot, owner }) => {
      const email = `guest-${slots}@example.org`;
      const booking = { customerName: 'Alan Turing', email, ...freeSlot() };
      return { bot, owner, booking, to: freeSlot(), booked: null, answer: null };
    });
  const book = ({ bot, booking }: Flight) =>
    server.call('POST', `/api/calendar/create-event/${bot}`, booking);
  const change = (verb: string, { bot, booked }: Flight, body?: object) =>
    server.call('POST', `/api/calendar/${verb}-event/${bot}/${booked?.body.appointmentId}`, body);
  const requests: Readonly<Record<Operation, (flight: Flight) => Promise<Answer>>> = {
    book,
    cancel: (flight) => change('cancel', flight),
    withdraw: (flight) => change('cancel', flight),
    reschedule: (flight) => change('reschedule', flight, flight.to),
  };

  /** All appointments of the flight's customer. */
  const appointmentsOf = async ({ bot, booking }: Flight) => {
    const { body } = await server.call('GET', `/api/calendar/appointments/${bot}?limit=5`);
    const all = body.appointments as Record<string, unknown>[];
    return all.filter(({ email }) => email === booking.email);
  };
  const mailsOf = ({ booking }: Flight) =>
    server.sandbox.mailbox(booking.email).map(({ kind }) => kind);
  const eventsOf = ({ owner, booking }: Flight) =>
    server.sandbox
      .events(owner)
      .filter(({ attendees }) => attendees?.some(({ email }) => email === booking.email));

  /** Of some inserts the answer is lost, the others are not made. */
  const addInsertFaults = () => {
    const headers = { 'retry-after': '60' };
    const { faults } = server.sandbox;
    return [
      faults.add({
        route: 'events.insert',
        times: flights / 2,
        fault: { kind: 'commitThenDrop' },
      }),
      faults.add({
        route: 'events.insert',
        times: 1_000,
        fault: { kind: 'status', status: 503, headers },
      }),
    ];
  };

  /** How many can come so far within their calls. */
  const mostInCalls = (operation: Operation, milestone: Milestone, sent: readonly Flight[]) => {
    // Where there is no event to delete, its insert may still be on its way: a job looks again later.
    const waits = operation === 'withdraw' && /^event-(?:written|recorded)$/.test(milestone);
    return waits ? sent.filter((flight) => eventsOf(flight).length > 0).length : flights;
  };

  /**
   * Makes what the operation needs, and sends the requests of which the server dies, when a share of
   * those that can have come to the milestone.
   */
  const sendAll = async (operation: Operation, milestone: Milestone, share: number) => {
    const sent = newFlights();
    if (operation !== 'book') {
      const faults = operation === 'withdraw' ? addInsertFaults() : [];
      await Promise.all(
        sent.map(async (flight) => {
          flight.booked = await book(flight);
          expect(flight.booked.status, flight.booked.text).toBe(faults.length > 0 ? 202 : 201);
        }),
      );
      for (const fault of faults) fault.remove();
    }
    const count = Math.ceil(share * mostInCalls(operation, milestone, sent));
    server.dieAt({ milestone, count });
    const request = requests[operation];
    const answers = sent.map(async (flight) => {
      flight.answer = await request(flight).catch(() => null);
    });
    const reached = await server.died();
    await Promise.all(answers);
    return { sent, reached };
  };

  /** How many had come as far as the milestone and no further. */
  const hitsOf = async (sent: readonly Flight[], reached: readonly Reached[], at: Milestone) => {
    const lastOf = new Map(reached.map(({ milestone, subject }) => [subject, milestone]));
    const last = await Promise.all(
      sent.map(async (flight) => {
        const [appointment] = await appointmentsOf(flight);
        return lastOf.get(String(appointment?.id)) ?? lastOf.get(flight.bot);
      }),
    );
    return last.filter((milestone) => milestone === at).length;
  };

  /** Checks that what the caller was told holds, and that everything exists once. */
  const checkOne = async (operation: Operation, flight: Flight) => {
    const settled = async () => (await appointmentsOf(flight)).every(({ inGoogle }) => inGoogle);
    await expect.poll(settled, { timeout: 20_000, interval: 50 }).toBe(true);
    const [appointment, ...moreAppointments] = await appointmentsOf(flight);
    expect(moreAppointments).toEqual([]);
    const events = eventsOf(flight);
    const told = flight.answer?.body;
    if (told) expect([200, 201], flight.answer?.text).toContain(flight.answer?.status);
    if (!appointment) {
      expect([operation, told, events, mailsOf(flight)]).toEqual(['book', undefined, [], []]);
      return;
    }
    if (operation === 'withdraw' && events.length === 0) {
      expect(appointment).toMatchObject({ status: 'cancelled', eventId: null });
      expect(mailsOf(flight)).toEqual([]);
      return;
    }
    expect(events).toHaveLength(1);
    const [event] = events;
    // Of one whose insert was not answered, the id is never recorded when it is withdrawn.
    if (operation !== 'withdraw') expect(appointment.eventId).toBe(event?.id);
    expect(event?.status).toBe(appointment.status);
    expect(Date.parse(event?.start?.dateTime ?? '')).toBe(Date.parse(String(appointment.start)));
    if (told) {
      const { status, start, appointmentId = told.id, eventId } = told;
      expect(appointment).toMatchObject({ id: appointmentId, status, start, eventId });
    }
    const moved = Date.parse(String(appointment.start)) === startOf(flight.to);
    const mails: Record<string, string[]> = {
      confirmed: moved ? ['invite', 'update'] : ['invite'],
      cancelled: ['invite', 'cancel'],
    };
    expect(mailsOf(flight)).toEqual(mails[String(appointment.status)]);
  };

  const jobsLeft = async () => {
    const jobs = await runSql(server.database, `select key from jobs where kind = 'event.write'`);
    return jobs.length;
  };

  /** Some callers repeat the call, the others leave it to the server. */
  const recover = async (operation: Operation, sent: readonly Flight[]) => {
    await Promise.all(
      sent.map(async (flight, i) => {
        if (i % 2 === 0) return;
        const again = await requests[operation](flight);
        expect([200, 201], again.text).toContain(again.status);
        if (flight.answer && operation === 'book') {
          expect(again.body).toEqual({ ...flight.answer.body, replayed: true });
        }
        flight.answer = again;
      }),
    );
    // Whether the insert of what is withdrawn comes after all is looked at a minute later.
    if (operation === 'withdraw') await server.restart();
    await Promise.all(sent.map((flight) => checkOne(operation, flight)));
  };

  describe.each(ofRequests)('in a call to %s, at %s', (operation, milestone) => {
    test('loses nothing and doubles nothing', { timeout }, async () => {
      for (let hits = 0, kills = 0; hits < hitsWanted; kills++) {
        const share = [1, 1 / 2, 1 / flights][kills % 3] as number;
        const { sent, reached } = await sendAll(operation, milestone, share);
        await server.revive();
        const unanswered = sent.filter(({ answer }) => answer === null);
        const hit = await hitsOf(unanswered, reached, milestone);
        expect(hit).toBeGreaterThan(0);
        hits += hit;
        await recover(operation, sent);
      }
    });
  });

  describe.each(ofJobs)('in a job that is to %s, at %s', (operation, milestone) => {
    test('loses nothing and doubles nothing', { timeout }, async () => {
      for (let hits = 0, kills = 0; hits < hitsWanted; kills++) {
        const { sent } = await sendAll(operation, 'stored', 1);
        const count = Math.min(await jobsLeft(), [owners, owners / 2, 1][kills % 3] as number);
        server.reviveToDie({ milestone, count });
        const reached = await server.died();
        await server.revive();
        const hit = await hitsOf(sent, reached, milestone);
        expect(hit).toBeGreaterThan(0);
        hits += hit;
        await Promise.all(sent.map((flight) => checkOne(operation, flight)));
      }
    });
  });

  test('keeps a claim for each appointment that stands, and no job', async () => {
    const [counts] = await runSql(
      server.database,
      `select (select count(*) from claims) as claims,
         (select count(*) from appointments where status = 'confirmed') as standing,
         (select count(*) from appointments where status in ('pending', 'failed')) as unsettled`,
    );
    const { claims, standing, unsettled } = counts ?? {};
    expect(Number(standing)).toBeGreaterThan(0);
    expect(Number(claims)).toBe(Number(standing));
    expect(Number(unsettled)).toBe(0);
    // A job that was settled while it ran is taken away in a transaction of its own.
    await expect.poll(jobsLeft).toBe(0);
  });
});
