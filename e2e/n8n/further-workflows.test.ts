import { type N8nWorkflow, withSettings } from 'local-n8n';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { type RecordedRequest, startRecorder } from './support/recorder.ts';
import { headerAuth, readWorkflow } from './support/workflow-files.ts';

/** What stands in for Calhook here answers by the contract; what the workflows ask is written down. */
let answers: Readonly<Record<string, object>> = {};
let calhook: Awaited<ReturnType<typeof startRecorder>>;
let n8n: N8nForTests;

const notFound = {
  success: false,
  code: 'bot_not_found',
  title: 'Bot not found',
  status: 404,
  detail: 'There is no such bot.',
};

/** The digest, but every second instead of every morning. */
function everySecond(workflow: N8nWorkflow): N8nWorkflow {
  const rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
  const nodes = workflow.nodes.map((node) =>
    node.type === 'n8n-nodes-base.scheduleTrigger' ? { ...node, parameters: { rule } } : node,
  );
  return { ...workflow, nodes };
}

beforeAll(async () => {
  calhook = await startRecorder(({ method, url }) => answers[`${method} ${url}`] ?? notFound);
  const calhookUrl = calhook.url;
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [
      headerAuth('calhookApiKey001', 'chk_public_key'),
      headerAuth('calhookOperator1', 'chk_operator_key'),
    ],
    workflows: [
      withSettings(readWorkflow('find-slots.json'), { calhookUrl }),
      withSettings(readWorkflow('change-appointment.json'), { calhookUrl }),
      everySecond(
        withSettings(readWorkflow('daily-digest.json'), {
          calhookUrl,
          reportUrl: `${calhookUrl}/report`,
        }),
      ),
    ],
  });
});
afterAll(async () => {
  await n8n?.stop();
  await calhook?.close();
});
beforeEach(() => {
  answers = {};
  calhook.requests.length = 0;
});

const asked = (): RecordedRequest[] =>
  calhook.requests.filter(({ headers }) => headers.authorization === 'Bearer chk_public_key');
const lines = () => asked().map(({ method, url }) => `${method} ${url}`);

describe('find slots', () => {
  const slot = {
    start: '2027-06-01T10:00:00+01:00',
    end: '2027-06-01T10:30:00+01:00',
    date: '2027-06-01',
    time: '10:00',
    label: 'Tuesday, 1 June 2027 at 10:00',
  };
  const slots = { timeZone: 'Europe/London', source: 'mirror', checkedAt: 1 };

  test('answers the free times as a list and as a sentence', async () => {
    answers = {
      'GET /api/calendar/slots/bot-ada?limit=5&from=2027-06-01&timeZone=Europe%2FLondon': {
        ...slots,
        slots: [slot],
      },
    };
    const body = { botId: 'bot-ada', from: '2027-06-01', timeZone: 'Europe/London' };
    expect(await n8n.post('appointment-slots', body)).toMatchObject({
      status: 200,
      body: {
        success: true,
        slots: [slot],
        text: 'These times are free: Tuesday, 1 June 2027 at 10:00.',
      },
    });
  });

  test('says so when nothing is free', async () => {
    answers = { 'GET /api/calendar/slots/bot-ada?limit=5': { ...slots, slots: [] } };
    expect(await n8n.post('appointment-slots', { botId: 'bot-ada' })).toMatchObject({
      status: 200,
      body: { success: true, slots: [], text: expect.stringContaining('no free time') },
    });
  });

  test('passes refusals on, and asks for the botId', async () => {
    expect(await n8n.post('appointment-slots', { botId: 'bot-nobody' })).toMatchObject({
      status: 404,
      body: notFound,
    });
    calhook.requests.length = 0;
    expect(await n8n.post('appointment-slots', {})).toMatchObject({
      status: 400,
      body: { success: false, detail: 'To look for times, please tell me the botId.' },
    });
    expect(lines()).toEqual([]);
  });
});

describe('cancel or reschedule', () => {
  const appointment = { id: 'apt-1', email: 'alan@example.org', conflictSince: null };
  const one = 'GET /api/calendar/appointments/bot-ada/apt-1';
  const cancel = 'POST /api/calendar/cancel-event/bot-ada/apt-1';
  const move = 'POST /api/calendar/reschedule-event/bot-ada/apt-1';
  const wish = { botId: 'bot-ada', appointmentId: 'apt-1', email: 'Alan@Example.org ' };

  test('cancels for who booked', async () => {
    answers = { [one]: appointment, [cancel]: { id: 'apt-1', when: 'then' } };
    const answer = await n8n.post('appointment-change', { ...wish, action: 'cancel' });
    expect(answer).toMatchObject({ status: 200, body: { success: true, id: 'apt-1' } });
    expect(lines()).toEqual([one, cancel]);
  });

  test('moves for who booked', async () => {
    answers = { [one]: appointment, [move]: { id: 'apt-1', when: 'then' } };
    const answer = await n8n.post('appointment-change', {
      ...wish,
      action: 'reschedule',
      date: '2027-06-04',
      time: '11:00',
    });
    expect(answer).toMatchObject({ status: 200, body: { success: true, id: 'apt-1' } });
    expect(asked()[1]).toMatchObject({ body: { date: '2027-06-04', time: '11:00' } });
    expect(lines()).toEqual([one, move]);
  });

  test('passes on that the new time is taken', async () => {
    const taken = { success: false, code: 'slot_unavailable', status: 409, alternatives: [] };
    answers = { [one]: appointment, [move]: taken };
    const wanted = { ...wish, action: 'reschedule', date: '2027-06-04', time: '11:00' };
    expect(await n8n.post('appointment-change', wanted)).toMatchObject({
      status: 409,
      body: taken,
    });
  });

  test('tells nobody else that there is such an appointment', async () => {
    answers = { [one]: appointment, [cancel]: { id: 'apt-1' } };
    const answer = await n8n.post('appointment-change', {
      ...wish,
      action: 'cancel',
      email: 'mallory@example.org',
    });
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({
      success: false,
      code: 'appointment_not_found',
      title: 'Appointment not found',
      status: 404,
      detail: 'There is no such appointment.',
    });
    expect(lines()).toEqual([one]);
  });

  test.each([
    [{ ...wish, action: 'delete' }, 'what to do: cancel or reschedule'],
    [{ ...wish, action: 'reschedule' }, 'the new date and the new time'],
    [{ ...wish, action: 'cancel', email: '' }, 'the e-mail address'],
  ])('asks for what is missing: %j', async (body, missing) => {
    expect(await n8n.post('appointment-change', body)).toMatchObject({
      status: 400,
      body: { detail: `To change an appointment, please tell me ${missing}.` },
    });
    expect(lines()).toEqual([]);
  });
});

test('the daily digest tells what was booked, refused and broken, client by client', async () => {
  const at = Date.now() - 60_000;
  const happened = (kind: string, detail = {}, when = at) => ({ kind, detail, at: when });
  const connected = { connected: true, expired: false, status: 'connected', reconnectUrl: null };
  answers = {
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
  };
  const reports = () =>
    calhook.requests.filter(({ url, body }) => url === '/report' && body !== null);
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
  const toCalhook = calhook.requests.filter(({ url }) => url.startsWith('/api'));
  expect(new Set(toCalhook.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer chk_operator_key']),
  );
});
