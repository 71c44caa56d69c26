import { startSandbox } from 'google-sandbox';
import { type N8nWorkflow, withSettings } from 'local-n8n';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestApp, type TestApp } from '../../apps/server/test/support/test-app.ts';
import { type N8nForTests, startN8nForTests, type WebhookAnswer } from './support/n8n-for-tests.ts';
import { startRecorder } from './support/recorder.ts';
import { copyOf, headerAuth, readWorkflow } from './support/workflow-files.ts';

const dayMs = 86_400_000;
const account = 'ada@example.com';
/** The digest looks back from n8n's own clock, so this Calhook lives in the present. */
const today = (days: number) => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10);

let calhook: TestApp;
let chat: Awaited<ReturnType<typeof startRecorder>>;
/** In the place of Calhook, for what would take hundreds of bots. */
let recorder: Awaited<ReturnType<typeof startRecorder>>;
const answers: Record<string, object> = {};
let n8n: N8nForTests;

const namedWish = { botId: 'bot-ada', appointmentId: 'apt-1', email: 'alan@example.org' };

/** The digest, but every few seconds instead of every morning. */
function everyFewSeconds(workflow: N8nWorkflow): N8nWorkflow {
  const rule = { interval: [{ field: 'seconds', secondsInterval: 3 }] };
  const nodes = workflow.nodes.map((node) =>
    node.type === 'n8n-nodes-base.scheduleTrigger' ? { ...node, parameters: { rule } } : node,
  );
  return { ...workflow, nodes };
}

const keyFor = async (...scopes: string[]) => {
  const made = await calhook.call('POST', '/api/keys', { name: 'n8n', scopes });
  return String(made.body.secret);
};

beforeAll(async () => {
  const sandbox = await startSandbox({
    accounts: [{ email: account, timeZone: 'Europe/London' }],
    now: Date.now(),
  });
  calhook = await openTestApp({ dialect: 'sqlite', sandbox });
  chat = await startRecorder(() => ({}));
  recorder = await startRecorder(({ method, url }) => answers[`${method} ${url}`] ?? {});
  const calhookUrl = calhook.url;
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [
      headerAuth(
        'calhookApiKey001',
        await keyFor('status:read', 'slots:read', 'appointments:read', 'appointments:write'),
      ),
      headerAuth(
        'calhookOperator1',
        await keyFor('bots:manage', 'status:read', 'appointments:read'),
      ),
      headerAuth('calhookRecorded1', 'chk_operator_key'),
    ],
    workflows: [
      withSettings(readWorkflow('appointment-booking.json'), { calhookUrl }),
      withSettings(readWorkflow('find-slots.json'), { calhookUrl }),
      withSettings(readWorkflow('change-appointment.json'), { calhookUrl }),
      everyFewSeconds(
        withSettings(readWorkflow('daily-digest.json'), { calhookUrl, reportUrl: chat.url }),
      ),
      everyFewSeconds(
        copyOf(
          withSettings(readWorkflow('daily-digest.json'), {
            calhookUrl: recorder.url,
            reportUrl: `${recorder.url}/report`,
          }),
          'recorded',
          'calhookRecorded1',
        ),
      ),
    ],
  });
});
afterAll(async () => {
  await n8n?.stop();
  await chat?.close();
  await recorder?.close();
  await calhook?.close();
  await calhook?.sandbox.close();
});

const ada = () => calhook.connectedBot(account, { timeZone: 'Europe/London' });
const events = () => calhook.sandbox.events(account).filter(({ status }) => status !== 'cancelled');

/** Books what the slots offer, as a chat does. */
async function bookFirstSlot(botId: string): Promise<WebhookAnswer & { email: string }> {
  const found = await n8n.post('appointment-slots', { botId, from: today(3) });
  const [{ date, time } = {}] = found.body.slots as { date: string; time: string }[];
  const email = `visitor-of-${botId}@example.org`;
  const answer = await n8n.post('appointment', {
    botId,
    type: 'appointment',
    formData: { fullName: 'Alan Turing', email, date, time },
  });
  expect(answer.status).toBe(201);
  return { ...answer, email };
}

describe('slots, cancelling and moving in a real n8n', () => {
  test('what is offered can be booked, and is not offered again', async () => {
    const botId = await ada();
    const wish = { botId, from: today(3), to: today(4), timeZone: 'Europe/Paris' };
    const before = await n8n.post('appointment-slots', wish);
    const [first, second] = before.body.slots as {
      label: string;
      start: string;
      date: string;
      time: string;
    }[];
    expect(before).toMatchObject({
      status: 200,
      body: { success: true, timeZone: 'Europe/Paris', source: expect.any(String) },
    });
    expect(before.body.slots).toHaveLength(5);
    expect(before.body.text).toContain(`These times are free: ${first?.label}; ${second?.label}; `);
    const { date, time } = first ?? {};
    const booked = await n8n.post('appointment', {
      botId,
      type: 'appointment',
      formData: {
        fullName: 'Alan Turing',
        email: 'alan@example.org',
        timeZone: 'Europe/Paris',
        date,
        time,
      },
    });
    expect(booked).toMatchObject({ status: 201, body: { start: first?.start } });
    const after = await n8n.post('appointment-slots', wish);
    const starts = (after.body.slots as { start: string }[]).map(({ start }) => start);
    expect(starts).not.toContain(first?.start);
    expect(starts).toHaveLength(5);
  });

  test('a day off has no free times; an unknown bot is refused', async () => {
    const botId = await calhook.connectedBot(account, {
      dateOverrides: [{ date: today(3), ranges: [] }],
    });
    expect(
      await n8n.post('appointment-slots', { botId, from: today(3), to: today(3) }),
    ).toMatchObject({
      status: 200,
      body: { success: true, slots: [], text: expect.stringContaining('no free time') },
    });
    expect(await n8n.post('appointment-slots', { botId: 'bot-nobody' })).toMatchObject({
      status: 404,
      body: { success: false, code: 'bot_not_found' },
    });
  });

  test.each([
    ['appointment-slots', {}, 'To look for times, please tell me the botId.'],
    [
      'appointment-change',
      { ...namedWish, action: 'delete' },
      'To change an appointment, please tell me what to do: cancel or reschedule.',
    ],
    [
      'appointment-change',
      { ...namedWish, action: 'reschedule' },
      'To change an appointment, please tell me the new date and the new time.',
    ],
    [
      'appointment-change',
      { ...namedWish, action: 'cancel', email: '' },
      'To change an appointment, please tell me the e-mail address.',
    ],
  ])('%s asks for what is missing: %j', async (path, body, detail) => {
    expect(await n8n.post(path, body)).toMatchObject({
      status: 400,
      body: { success: false, code: 'invalid_request', detail },
    });
  });

  test('who booked may cancel, and nobody else learns of the appointment', async () => {
    const botId = await ada();
    const { body, email } = await bookFirstSlot(botId);
    const wish = { botId, appointmentId: body.appointmentId, action: 'cancel' };
    const foreign = await n8n.post('appointment-change', { ...wish, email: 'mallory@example.org' });
    const unknown = await n8n.post('appointment-change', {
      ...wish,
      appointmentId: 'apt-unknown',
      email,
    });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'appointment_not_found' } });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'appointment_not_found' } });
    expect(foreign.body.detail).toBe(unknown.body.detail);
    expect(events().map(({ id }) => id)).toContain(body.eventId);

    const answer = await n8n.post('appointment-change', { ...wish, email: email.toUpperCase() });
    expect(answer).toMatchObject({ status: 200, body: { success: true, status: 'cancelled' } });
    expect(events().map(({ id }) => id)).not.toContain(body.eventId);
  });

  test('who booked may move it, but not onto another appointment', async () => {
    const botId = await ada();
    const mine = await bookFirstSlot(botId);
    const other = await calhook.call('POST', `/api/calendar/create-event/${botId}`, {
      customerName: 'Grace',
      email: 'grace@example.org',
      date: today(6),
      time: '12:00',
    });
    expect(other.status).toBe(201);
    const wish = {
      botId,
      appointmentId: mine.body.appointmentId,
      email: mine.email,
      action: 'reschedule',
      date: today(6),
    };
    expect(await n8n.post('appointment-change', { ...wish, time: '12:00' })).toMatchObject({
      status: 409,
      body: { success: false, code: 'slot_unavailable', alternatives: expect.any(Array) },
    });
    const moved = await n8n.post('appointment-change', { ...wish, time: '15:00' });
    expect(moved).toMatchObject({ status: 200, body: { success: true } });
    expect(String(moved.body.start)).toMatch(`${today(6)}T15:00:00`);
    const event = events().find(({ id }) => id === mine.body.eventId);
    expect(event?.start.dateTime).toMatch(`${today(6)}T15:00:00`);
  });
});

test('the digest tells of each client what was booked and whose calendar is gone', async () => {
  const made = await calhook.call('POST', '/api/bots', { name: 'Never connected' });
  const busy = await ada();
  await bookFirstSlot(busy);
  interface Client {
    readonly botId: string;
    readonly booked: number;
    readonly connection: string;
  }
  await vi.waitFor(
    () => {
      const { clients } = (chat.requests.at(-1)?.body ?? { clients: [] }) as { clients: Client[] };
      const of = (id: unknown) => clients.find(({ botId }) => botId === id);
      expect(of(busy)).toMatchObject({ booked: 1, connection: 'connected' });
      expect(of(made.body.id)).toMatchObject({ booked: 0, connection: 'not_connected' });
    },
    { timeout: 30_000, interval: 200 },
  );
});

test('the digest writes a line a client, from all pages of bots', async () => {
  const at = Date.now() - 60_000;
  const happened = (kind: string, detail = {}, when = at) => ({ kind, detail, at: when });
  const connected = { connected: true, expired: false, status: 'connected', reconnectUrl: null };
  Object.assign(answers, {
    'GET /api/bots?limit=200': { bots: [{ id: 'bot-ada', name: 'Ada' }], nextCursor: 'next' },
    'GET /api/bots?limit=200&cursor=next': {
      bots: [{ id: 'bot-grace', name: 'Grace' }],
      nextCursor: null,
    },
    'GET /api/calendar/status/bot-ada': connected,
    'GET /api/calendar/status/bot-grace': {
      ...connected,
      expired: true,
      status: 'needs_reauth',
      reconnectUrl: 'https://calendar.example.com/connect/again',
    },
    'GET /api/activity/bot-ada?limit=200': {
      activity: [
        happened('appointment.confirmed'),
        happened('appointment.confirmed'),
        happened('appointment.failed', { reason: 'calendar_refused' }),
        happened('appointment.confirmed', {}, at - 25 * 3_600_000),
      ],
      nextCursor: null,
    },
    'GET /api/activity/bot-grace?limit=200': { activity: [], nextCursor: null },
    'POST /report': {},
  });
  const reports = () =>
    recorder.requests.filter(({ url, body }) => url === '/report' && body !== null);
  await vi.waitFor(() => expect(reports().length).toBeGreaterThan(0), {
    timeout: 30_000,
    interval: 200,
  });
  expect(reports()[0]?.body).toEqual({
    text: 'Ada (bot-ada): 2 booked, refused: 1 × calendar_refused\nGrace (bot-grace): 0 booked. CALENDAR: needs_reauth, to be renewed at https://calendar.example.com/connect/again',
    clients: [
      {
        botId: 'bot-ada',
        name: 'Ada',
        booked: 2,
        refused: [{ code: 'calendar_refused', times: 1 }],
        connection: 'connected',
        reconnectUrl: '',
      },
      {
        botId: 'bot-grace',
        name: 'Grace',
        booked: 0,
        refused: [],
        connection: 'needs_reauth',
        reconnectUrl: 'https://calendar.example.com/connect/again',
      },
    ],
  });
  const toCalhook = recorder.requests.filter(({ url }) => url.startsWith('/api'));
  expect(new Set(toCalhook.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer chk_operator_key']),
  );
});
