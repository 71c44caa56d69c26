import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from '../../apps/server/test/support/databases.ts';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import {
  bootstrapKey,
  oauthClient,
  testEnvironment,
} from '../../apps/server/test/support/test-app.ts';
import { nextTuesday } from './next-tuesday.ts';
import { type RunningProcess, startProcess } from './running-process.ts';

const owner = 'ada@example.com';
const botId = 'bot-crash';

describeOnEachDatabase('a server that is killed while it books', (dialect) => {
  let database: TestDatabase;
  let sandbox: Sandbox;
  let url: string;
  let server: RunningProcess;
  /** Each test books an hour of its own, for a customer of its own. */
  let booking: { customerName: string; email: string; date: string; time: string };
  let hour = 9;

  beforeEach(() => {
    hour += 1;
    const email = `alan-${hour}@example.org`;
    booking = { customerName: 'Alan Turing', email, date: nextTuesday(), time: `${hour}:00` };
    sandbox.faults.clear();
  });

  beforeAll(async () => {
    database = await createTestDatabase(dialect);
    sandbox = await startSandbox({ accounts: [{ email: owner, timeZone: 'Europe/London' }] });
    url = `http://127.0.0.1:${await freePorts(1)}`;
    sandbox.addClient({ ...oauthClient, redirectUris: [`${url}/oauth/google/callback`] });
    await startServer();
    await call('POST', '/api/bots', { id: botId, name: 'Crash', timeZone: 'Europe/London' });
    const link = await call('POST', `/api/calendar/connect/${botId}`);
    const page = await connectAs(sandbox, String(link.body.url), { account: owner });
    expect(page.status).toBe(200);
  });

  afterAll(async () => {
    server.kill();
    await server.ended;
    await sandbox.close();
    await database.drop();
  });

  async function startServer(): Promise<void> {
    server = startProcess(process.execPath, ['apps/server/bin/calhook.js', 'serve'], {
      ...testEnvironment(sandbox, database.url, url),
      CALHOOK_LOG_LEVEL: 'info',
    });
    await server.line(/"msg":"listening"/);
  }

  async function killServer(): Promise<void> {
    server.kill();
    expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' });
  }

  async function call(method: string, path: string, body?: object) {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${bootstrapKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  const book = () => call('POST', `/api/calendar/create-event/${botId}`, booking);
  /** A call whose server dies before it answers. */
  const bookInVain = () =>
    book().then(
      (answer) => `answered ${answer.status}`,
      () => 'no answer',
    );
  const appointments = async () => {
    const { body } = await call('GET', `/api/calendar/appointments/${botId}`);
    const all = body.appointments as Record<string, unknown>[];
    return all.filter(({ email }) => email === booking.email);
  };
  const events = () =>
    sandbox
      .events(owner)
      .filter(({ attendees }) => attendees?.some(({ email }) => email === booking.email));
  const invitations = () => sandbox.mailbox(booking.email).filter(({ kind }) => kind === 'invite');

  /** Repeats the call after the crash, and checks that everything exists once. */
  async function expectOneOfEach(calls: number): Promise<void> {
    const answers = await Promise.all(Array.from({ length: calls }, book));
    for (const { status, body } of answers) {
      expect([200, 201], JSON.stringify(body)).toContain(status);
      expect(body).toMatchObject({ success: true, status: 'confirmed' });
    }
    const [event, ...moreEvents] = events();
    expect(moreEvents).toEqual([]);
    expect(event?.status).toBe('confirmed');
    expect(new Set(answers.map(({ body }) => body.eventId))).toEqual(new Set([event?.id]));
    const [appointment, ...moreAppointments] = await appointments();
    expect(moreAppointments).toEqual([]);
    expect(appointment).toMatchObject({ status: 'confirmed', eventId: event?.id });
    expect(invitations()).toHaveLength(1);
  }

  test.each([1, 10])(
    'between the insert at Google and its own commit, %i parallel calls: one appointment, one event',
    async (calls) => {
      // Google does the work, and its answer takes for ever.
      sandbox.faults.add({
        route: 'events.insert',
        fault: { kind: 'slow', bytesPerSecond: 1 },
        times: Number.POSITIVE_INFINITY,
      });
      const lost = Array.from({ length: calls }, bookInVain);
      await expect.poll(events).toHaveLength(1);
      await killServer();
      expect(new Set(await Promise.all(lost))).toEqual(new Set(['no answer']));

      sandbox.faults.clear();
      await startServer();
      expect(await appointments()).toEqual([expect.objectContaining({ status: 'pending' })]);
      await expectOneOfEach(calls);
    },
  );

  test('before the insert reached Google: the repeated call makes the one event', async () => {
    const fault = sandbox.faults.add({
      route: 'events.insert',
      fault: { kind: 'hang', ms: 3_600_000 },
    });
    const lost = bookInVain();
    await expect.poll(() => fault.hits).toBe(1);
    await killServer();
    expect(await lost).toBe('no answer');
    expect(events()).toEqual([]);

    await startServer();
    await expectOneOfEach(10);
  });

  test('after the answer: the repeated call is told of the same appointment', async () => {
    const first = await book();
    expect(first.status).toBe(201);
    await killServer();
    await startServer();
    const again = await book();
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, replayed: true });
    await expectOneOfEach(1);
  });
});
