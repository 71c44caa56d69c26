import { createEventFields } from '@calhook/contract';
import { withSettings } from 'local-n8n';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { type RecordedRequest, startRecorder } from './support/recorder.ts';
import { form } from './support/requests.ts';
import { copyOf, headerAuth, readWorkflow } from './support/workflow-files.ts';

const file = readWorkflow('appointment-booking.json');
const key = 'key0000000000001';

/** What Calhook would answer, for what the workflow sends: a connection, and a booking. */
const booked = ({ method }: RecordedRequest) =>
  method === 'GET' ? { connected: true, expired: false } : { success: true };

let recorder: Awaited<ReturnType<typeof startRecorder>>;
let n8n: N8nForTests;
beforeAll(async () => {
  recorder = await startRecorder(booked);
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [headerAuth(key, `chk_recorded_${'x'.repeat(43)}`)],
    workflows: [
      copyOf(withSettings(file, { calhookUrl: recorder.url }), 'recorded', key),
      copyOf(withSettings(file, { calhookUrl: 'http://127.0.0.1:9' }), 'nobody', key),
    ],
  });
});
afterAll(async () => {
  await n8n?.stop();
  await recorder?.close();
});

describe('what the workflow sends', () => {
  const send = async (body: unknown): Promise<RecordedRequest[]> => {
    const from = recorder.requests.length;
    expect((await n8n.post('appointment-recorded', body)).status).toBe(200);
    return recorder.requests.slice(from);
  };
  const keyOf = async (body: unknown) => (await send(body))[1]?.headers['idempotency-key'];

  test('is a question and a booking, both with the API key', async () => {
    const fields = {
      fullName: 'Ada Byron',
      email: 'ada@example.org',
      phone: '',
      date: '2027-06-03',
      time: '10:00',
      durationMinutes: '45',
      notes: null,
      bicycle: { make: 'Brompton' },
      insured: true,
      answers: { colour: 'red' },
    };
    const [status, booking] = await send({
      botId: 'bot-ada',
      type: 'appointment',
      formData: fields,
    });
    expect(status).toMatchObject({ method: 'GET', url: '/api/calendar/status/bot-ada' });
    expect(booking).toMatchObject({
      method: 'POST',
      url: '/api/calendar/create-event/bot-ada',
      body: {
        fullName: 'Ada Byron',
        email: 'ada@example.org',
        date: '2027-06-03',
        time: '10:00',
        durationMinutes: 45,
        answers: { colour: 'red', insured: 'true', bicycle: '{"make":"Brompton"}' },
      },
    });
    expect(Object.keys(booking?.body as object)).not.toContain('notes');
    for (const sent of [status, booking]) {
      expect(sent?.headers.authorization).toMatch(/^Bearer chk_/);
    }
  });

  test('knows the fields of a booking', async () => {
    const formData = Object.fromEntries(createEventFields.map((field) => [field, '7']));
    const [, booking] = await send({
      botId: 'bot-ada',
      type: 'appointment',
      formData: { ...formData, answers: { a: 'b' } },
    });
    expect(Object.keys(booking?.body as object).sort()).toEqual([...createEventFields].sort());
  });

  test('has an idempotency key that is the same for the same request alone', async () => {
    const body = { botId: 'bot-ada', type: 'appointment', requestId: 'a', formData: form() };
    const key = await keyOf(body);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyOf(structuredClone(body))).toBe(key);
    const others = [
      { ...body, botId: 'bot-grace' },
      { ...body, requestId: 'b' },
      { ...body, requestId: 'b', formData: form() },
    ];
    const keys = new Set([key]);
    for (const other of others) keys.add(await keyOf(other));
    expect(keys.size).toBe(4);
  });

  test('has an idempotency key of its own when the request has no name', async () => {
    const body = { botId: 'bot-ada', type: 'appointment', formData: form() };
    const key = await keyOf(body);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyOf(body)).not.toBe(key);
  });
});

describe('the webhook', () => {
  test('may be called, and its refusals read, by pages of any origin', async () => {
    const url = `${n8n.url}/webhook/appointment-recorded`;
    const origin = 'https://www.example.com';
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('content-type');
    const answer = await n8n.post('appointment-recorded', {}, { origin });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test('answers 503 when Calhook does not', async () => {
    const answer = await n8n.post('appointment-nobody', {
      botId: 'bot-ada',
      type: 'appointment',
      formData: form(),
    });
    expect(answer).toMatchObject({
      status: 503,
      body: { success: false, code: 'calhook_unreachable', status: 503 },
    });
  });
});
