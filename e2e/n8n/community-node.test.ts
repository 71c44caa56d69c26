import type { CommunityPackage } from 'local-n8n';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookingOf } from '../../apps/server/test/support/bookings.ts';
import {
  bootstrapKey,
  openTestApp,
  type TestApp,
} from '../../apps/server/test/support/test-app.ts';
import {
  buildCalhookNode,
  calhookApi,
  calhookWorkflow,
  packageName,
  readExample,
  withCredential,
} from './support/calhook-node.ts';
import { type N8nForTests, startN8nForTests, type WebhookAnswer } from './support/n8n-for-tests.ts';
import { bookTwice, nodeWorkflows } from './support/node-workflows.ts';
import { startRecorder } from './support/recorder.ts';
import { eventIdsOf, refusal, request } from './support/requests.ts';
import { copyOf } from './support/workflow-files.ts';

const dialects = ['sqlite', 'postgres'] as const;
type Dialect = (typeof dialects)[number];

const example = readExample('appointment-booking.json');

const apps = {} as Record<Dialect, TestApp>;
let recorder: Awaited<ReturnType<typeof startRecorder>>;
let built: CommunityPackage;
let n8n: N8nForTests;
/** What the recorder answers, one after the other. */
let answers: object[] = [];
beforeAll(async () => {
  built = await buildCalhookNode();
  recorder = await startRecorder(() => answers.shift() ?? { success: true });
  const credentials = [calhookApi('recorded', recorder.url, 'chk_recorded')];
  const workflows = [calhookWorkflow('recorded', 'recorded', [bookTwice])];
  for (const dialect of dialects) {
    const app = await openTestApp({ dialect });
    apps[dialect] = app;
    // As a user types it in, with a stroke too many.
    credentials.push(
      calhookApi(`key-${dialect}`, `${app.url}/`, bootstrapKey),
      calhookApi(`wrong-${dialect}`, app.url, `chk_nobody_${'x'.repeat(43)}`),
    );
    const key = `key-${dialect}`;
    workflows.push(
      withCredential(copyOf(example, dialect), key),
      withCredential(copyOf(example, `${dialect}-wrong`), `wrong-${dialect}`),
      ...nodeWorkflows(dialect, key),
    );
  }
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials,
    workflows,
    communityPackages: { [packageName]: built.directory },
  });
});
afterAll(async () => {
  await n8n?.stop();
  await recorder?.close();
  await built?.remove();
  for (const app of Object.values(apps)) await app.close();
});

describe.each(dialects)('the Calhook node in a real n8n (%s)', (dialect) => {
  const calhook = () => apps[dialect];
  const send = (body: unknown, path = `appointment-by-node-${dialect}`): Promise<WebhookAnswer> =>
    n8n.post(path, body);
  const ada = () => calhook().connectedBot('ada@example.com', { timeZone: 'Europe/London' });
  const eventIds = (account: string) => eventIdsOf(calhook(), account);

  test('books each bot into its own calendar', async () => {
    const ofAda = await ada();
    const ofGrace = await calhook().connectedBot('grace@example.com');
    const forAda = await send(request(ofAda, { phone: '' }));
    const forGrace = await send(request(ofGrace));
    for (const answer of [forAda, forGrace]) {
      expect(answer).toMatchObject({
        status: 201,
        body: { success: true, status: 'confirmed', eventId: expect.any(String) },
      });
    }
    expect(eventIds('ada@example.com')).toContain(forAda.body.eventId);
    expect(eventIds('ada@example.com')).not.toContain(forGrace.body.eventId);
    expect(eventIds('grace@example.com')).toContain(forGrace.body.eventId);
    expect(eventIds('grace@example.com')).not.toContain(forAda.body.eventId);
  });

  test('a message of another type is no appointment', async () => {
    const wrong = { ...request(await ada()), type: 'newsletter' };
    expect(await send(wrong)).toMatchObject(refusal(400, 'not_an_appointment'));
  });

  test('a field that is missing or wrong is refused in the words of Calhook', async () => {
    const botId = await ada();
    const missing = await send(request(botId, { email: undefined }));
    expect(missing).toMatchObject(refusal(400, 'invalid_request'));
    expect(missing.body.detail).toContain('email');
    const wrong = await send(request(botId, { email: 'nobody' }));
    expect(wrong).toMatchObject(refusal(400, 'invalid_email'));
  });

  test('a bot that the message does not name is asked for', async () => {
    expect((await send(request(undefined))).body.detail).toBe('The parameter "botId" is empty');
  });

  test('an unknown bot is 404, and no way out of the path', async () => {
    expect(await send(request('bot-nobody'))).toMatchObject(refusal(404, 'bot_not_found'));
    expect(await send(request('../keys'))).toMatchObject(refusal(404, 'bot_not_found'));
  });

  test('a bot that was disconnected is 424', async () => {
    const botId = await ada();
    await calhook().call('POST', `/api/calendar/disconnect/${botId}`);
    expect(await send(request(botId))).toMatchObject(refusal(424, 'calendar_not_connected'));
  });

  test('a revoked grant is 424', async () => {
    const account = `${dialect}@example.com`;
    calhook().sandbox.addAccount({ email: account });
    const botId = await calhook().connectedBot(account);
    calhook().sandbox.revokeGrants(account);
    expect(await send(request(botId))).toMatchObject(refusal(424, 'calendar_needs_reauth'));
  });

  test('a taken time is 409, with times that are free', async () => {
    const botId = await ada();
    const first = request(botId);
    expect((await send(first)).status).toBe(201);
    const second = { ...first, formData: { ...first.formData, email: 'other@example.org' } };
    const answer = await send(second);
    expect(answer).toMatchObject(refusal(409, 'slot_unavailable'));
    expect(answer.body.alternatives).toHaveLength(3);
  });

  test('while Google is down it is 503, and the same request books when it is back', async () => {
    const botId = await ada();
    const fault = { kind: 'html', status: 503 } as const;
    const outage = calhook().sandbox.faults.add({ route: '*', times: 1_000, fault });
    const wanted = request(botId);
    const during = await send(wanted);
    outage.remove();
    expect(during).toMatchObject(refusal(503, 'calendar_unreachable'));
    expect(await send(wanted)).toMatchObject({ body: { success: true, status: 'confirmed' } });
  });

  test('a wrong API key is 401', async () => {
    const answer = await send(request(await ada()), `appointment-by-node-${dialect}-wrong`);
    expect(answer).toMatchObject(refusal(401, 'invalid_api_key'));
  });

  test('finds, holds, books, moves, reads and cancels in one workflow', async () => {
    const botId = await ada();
    const from = String(bookingOf().date);
    const { body } = await send({ botId, from }, `way-${dialect}`);
    const slot = body.Slots as Record<string, string>;
    expect(slot).toMatchObject({
      date: from,
      timeZone: 'Europe/London',
      label: expect.any(String),
    });
    const { start, end } = slot;
    const moved = expect.stringContaining(`${from}T20:15`);
    expect(body).toMatchObject({
      Hold: { start, end, holdId: expect.any(String) },
      Book: { success: true, status: 'confirmed', start, end },
      Move: { status: 'confirmed', start: moved },
      Read: { status: 'confirmed', start: moved, answers: { 'Frame size': '56' }, inGoogle: true },
      Cancel: { status: 'cancelled', start: moved },
    });
    const { eventId } = body.Book as { eventId: string };
    const event = calhook()
      .sandbox.events('ada@example.com')
      .find(({ id }) => id === eventId);
    expect(event?.status ?? 'cancelled').toBe('cancelled');
  });

  test('gives a hold back', async () => {
    const botId = await ada();
    const { date, time } = bookingOf();
    const { body } = await send({ botId, date, time }, `held-${dialect}`);
    expect(body.items).toEqual([{ success: true, holdId: expect.any(String) }]);
    const taken = request(botId, { date, time });
    expect((await send(taken)).status).toBe(201);
  });

  test('makes a bot, its connect link, and tells its status', async () => {
    const { body } = await send({}, `new-${dialect}`);
    expect(body).toMatchObject({
      bot: {
        name: 'Hopper Bicycles',
        timeZone: 'Europe/Berlin',
        durationMinutes: 45,
        allowedOrigins: ['https://www.example.com'],
        weeklyHours: { monday: [{ start: '09:00', end: '17:00' }] },
      },
      link: { url: expect.stringContaining('/connect/'), expiresAt: expect.any(Number) },
      status: { connected: false, status: 'not_connected' },
    });
  });

  test('lists as many as are asked for, or all, over pages', async () => {
    for (let made = 0; made < 201; made++) {
      await calhook().call('POST', '/api/bots', { name: `Bot ${made}` });
    }
    const few = await send({ all: false, limit: 3 }, `bots-${dialect}`);
    expect(few.body.items).toHaveLength(3);
    const { body } = await send({ all: true }, `bots-${dialect}`);
    const ids = new Set((body.items as { id: string }[]).map(({ id }) => id));
    expect(ids.size).toBeGreaterThan(200);
    expect(ids.size).toBe((body.items as unknown[]).length);
  });

  test('a refusal stops the workflow, and the error says what was said and what to do', async () => {
    const botId = await ada();
    const wanted = { botId, ...bookingOf() };
    expect((await send(wanted, `stop-${dialect}`)).status).toBe(200);
    await send({ ...wanted, email: 'other@example.org' }, `stop-${dialect}`);
    const [{ id, status } = { id: '', status: '' }] = await n8n.executionsOf(`wf-stop-${dialect}`);
    expect(status).toBe('error');
    const { data } = await n8n.rest<{ data: string }>('GET', `/executions/${id}`);
    expect(data).toMatch(/"Sorry, .+ is already taken\./);
    expect(data).toMatch(/Free: .+; .+; .+\. Code slot_unavailable; what to do: http/);
    expect(data).toContain(`${calhook().url}/docs/errors#slot_unavailable`);
  });
});

test('a node that runs again sends the same idempotency key, another execution another one', async () => {
  const down = { success: false, code: 'calendar_unreachable', status: 503, detail: 'Later.' };
  answers = [down];
  const wanted = { botId: 'bot-ada', ...bookingOf() };
  expect((await n8n.post('recorded', wanted)).status).toBe(200);
  expect((await n8n.post('recorded', wanted)).status).toBe(200);
  const keys = recorder.requests.map(({ headers }) => headers['idempotency-key']);
  expect(keys).toHaveLength(3);
  expect(keys[0]).toMatch(/^n8n-[0-9a-f]{64}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).toMatch(/^n8n-[0-9a-f]{64}$/);
  expect(keys[2]).not.toBe(keys[0]);
});
