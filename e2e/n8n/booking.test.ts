import type { ErrorCode } from '@calhook/contract';
import { type N8nWorkflow, withSettings } from 'local-n8n';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openTestApp, type TestApp } from '../../apps/server/test/support/test-app.ts';
import { type N8nForTests, startN8nForTests, type WebhookAnswer } from './support/n8n-for-tests.ts';
import { eventIdsOf, form, request, titledRefusal } from './support/requests.ts';
import { copyOf, headerAuth, readWorkflow } from './support/workflow-files.ts';

const file = readWorkflow('appointment-booking.json');
const dialects = ['sqlite', 'postgres'] as const;
type Dialect = (typeof dialects)[number];
const wrongKey = 'wrongKey00000001';

const apps = {} as Record<Dialect, TestApp>;
let n8n: N8nForTests;
beforeAll(async () => {
  const credentials = [headerAuth(wrongKey, `chk_nobody_${'x'.repeat(43)}`)];
  const workflows: N8nWorkflow[] = [];
  for (const dialect of dialects) {
    const app = await openTestApp({ dialect });
    apps[dialect] = app;
    const made = await app.call('POST', '/api/keys', {
      name: 'n8n',
      scopes: ['status:read', 'appointments:write'],
    });
    credentials.push(headerAuth(`key${dialect}`, String(made.body.secret)));
    const workflow = withSettings(file, { calhookUrl: app.url });
    workflows.push(
      copyOf(workflow, dialect, `key${dialect}`),
      copyOf(workflow, `${dialect}-wrong`, wrongKey),
    );
  }
  n8n = await startN8nForTests({ engine: 'vm', credentials, workflows });
});
afterAll(async () => {
  await n8n?.stop();
  for (const app of Object.values(apps)) await app.close();
});

describe.each(dialects)('the booking workflow in a real n8n (%s)', (dialect) => {
  const calhook = () => apps[dialect];
  const send = (body: unknown, path = `appointment-${dialect}`): Promise<WebhookAnswer> =>
    n8n.post(path, body);
  const ada = () => calhook().connectedBot('ada@example.com', { timeZone: 'Europe/London' });
  const eventIds = (account: string) => eventIdsOf(calhook(), account);

  test('books each bot into its own calendar', async () => {
    const ofAda = await ada();
    const ofGrace = await calhook().connectedBot('grace@example.com');
    const forAda = await send(request(ofAda, { bicycle: 'Brompton', wheels: 2, phone: '' }));
    const forGrace = await send(request(ofGrace));
    for (const answer of [forAda, forGrace]) {
      expect(answer).toMatchObject({
        status: 201,
        body: {
          success: true,
          status: 'confirmed',
          eventId: expect.any(String),
          eventLink: expect.stringContaining('http'),
          when: expect.any(String),
        },
      });
    }
    expect(eventIds('ada@example.com')).toContain(forAda.body.eventId);
    expect(eventIds('ada@example.com')).not.toContain(forGrace.body.eventId);
    expect(eventIds('grace@example.com')).toContain(forGrace.body.eventId);
    expect(eventIds('grace@example.com')).not.toContain(forAda.body.eventId);
    const event = calhook()
      .sandbox.events('ada@example.com')
      .find(({ id }) => id === forAda.body.eventId);
    expect(event?.description).toMatch(/bicycle: Brompton\nwheels: 2/);
  });

  test.each<[string, (botId: string) => unknown]>([
    ['of another type', (botId) => ({ ...request(botId), type: 'newsletter' })],
    ['without a type', (botId) => ({ botId, formData: form() })],
    ['that is no object', () => ['appointment']],
  ])('a message %s is no appointment', async (_, body) => {
    expect(await send(body(await ada()))).toMatchObject(titledRefusal(400, 'not_an_appointment'));
  });

  test.each<[string, (botId: string) => unknown, string[]]>([
    ['the botId', (botId) => ({ ...request(botId), botId: undefined }), ['the botId']],
    ['the name', (botId) => request(botId, { fullName: undefined }), ['the name']],
    ['an e-mail address', (botId) => request(botId, { email: ' ' }), ['the e-mail address']],
    [
      'date and time',
      (botId) => request(botId, { date: undefined, time: null }),
      ['the date', 'the time'],
    ],
    [
      'the form',
      (botId) => ({ botId, type: 'appointment' }),
      ['the name', 'the e-mail address', 'the date', 'the time'],
    ],
  ])('a request without %s is told what is missing', async (_, body, missing) => {
    const detail = `To book an appointment, please tell me ${missing.join(' and ')}.`;
    expect(await send(body(await ada()))).toMatchObject({
      status: 400,
      body: { success: false, code: 'invalid_request', status: 400, detail, missing },
    });
  });

  test.each<[string, Record<string, unknown>, ErrorCode]>([
    ['no e-mail address', { email: 'nobody' }, 'invalid_email'],
    ['a day that does not exist', { date: '2027-02-30' }, 'invalid_date'],
    ['a time that is over', { date: '2025-06-03' }, 'time_in_past'],
  ])('%s is refused in the words of Calhook', async (_, changes, code) => {
    expect(await send(request(await ada(), changes))).toMatchObject(titledRefusal(400, code));
  });

  test('an unknown bot is 404', async () => {
    expect(await send(request('bot-nobody'))).toMatchObject(titledRefusal(404, 'bot_not_found'));
    expect(await send(request('../keys'))).toMatchObject({ status: 404 });
  });

  test('a bot that was never connected, and one that was disconnected, are 424', async () => {
    const made = await calhook().call('POST', '/api/bots', { name: 'Unconnected' });
    const never = String(made.body.id);
    const expected = titledRefusal(424, 'calendar_not_connected');
    expect(await send(request(never))).toMatchObject(expected);
    const botId = await ada();
    await calhook().call('POST', `/api/calendar/disconnect/${botId}`);
    expect(await send(request(botId))).toMatchObject(expected);
  });

  test('a revoked grant is 424, when Google says so and ever after', async () => {
    const account = `${dialect}@example.com`;
    calhook().sandbox.addAccount({ email: account });
    const botId = await calhook().connectedBot(account);
    calhook().sandbox.revokeGrants(account);
    const expected = titledRefusal(424, 'calendar_needs_reauth');
    expect(await send(request(botId))).toMatchObject(expected);
    expect(await send(request(botId))).toMatchObject(expected);
  });

  test('a taken time is 409', async () => {
    const botId = await ada();
    const first = request(botId);
    expect((await send(first)).status).toBe(201);
    const second = { ...first, formData: { ...first.formData, email: 'other@example.org' } };
    const answer = await send(second);
    expect(answer).toMatchObject(titledRefusal(409, 'slot_unavailable'));
    const free = { date: expect.any(String), time: expect.any(String), label: expect.any(String) };
    expect(answer.body.alternatives).toMatchObject([free, free, free]);
  });

  test('while Google is down it is 503, and the same request books when it is back', async () => {
    const botId = await ada();
    const { sandbox } = calhook();
    const outage = sandbox.faults.add({
      route: '*',
      times: 1_000,
      fault: { kind: 'html', status: 503 },
    });
    const wanted = request(botId);
    const during = await send(wanted);
    outage.remove();
    expect(during).toMatchObject(titledRefusal(503, 'calendar_unreachable'));
    const after = await send(wanted);
    expect(after).toMatchObject({ body: { success: true, status: 'confirmed' } });
    expect(eventIds('ada@example.com').filter((id) => id === after.body.eventId)).toHaveLength(1);
  });

  test('while Google takes no events it is 202, and comes into the calendar later', async () => {
    const botId = await ada();
    const outage = calhook().sandbox.faults.add({
      route: 'events.insert',
      times: 1_000,
      fault: { kind: 'html', status: 503 },
    });
    const wanted = request(botId);
    const during = await send(wanted);
    outage.remove();
    expect(during).toMatchObject({
      status: 202,
      body: { success: true, status: 'pending', eventId: null },
    });
    const after = await send(wanted);
    expect(after).toMatchObject({
      status: 200,
      body: { status: 'confirmed', appointmentId: during.body.appointmentId },
    });
    expect(eventIds('ada@example.com')).toContain(after.body.eventId);
  });

  test('what was cancelled can be booked anew, but not by a request that comes late', async () => {
    const botId = await ada();
    const cancel = (answer: WebhookAnswer) =>
      calhook().call(
        'POST',
        `/api/calendar/cancel-event/${botId}/${String(answer.body.appointmentId)}`,
      );
    const unnamed = request(botId);
    const first = await send(unnamed);
    expect((await cancel(first)).status).toBe(200);
    const second = await send(unnamed);
    expect(second).toMatchObject({ status: 201, body: { status: 'confirmed' } });
    expect(second.body.appointmentId).not.toBe(first.body.appointmentId);

    const named = { ...request(botId), requestId: `request of ${botId}` };
    const third = await send(named);
    expect(third.status).toBe(201);
    await cancel(third);
    expect(await send(named)).toMatchObject({
      status: 200,
      body: { replayed: true, appointmentId: third.body.appointmentId },
    });
  });

  test('a wrong API key is 503 for the visitor, and says nothing of keys', async () => {
    const answer = await send(request(await ada()), `appointment-${dialect}-wrong`);
    expect(answer).toMatchObject({
      status: 503,
      body: {
        success: false,
        code: 'invalid_api_key',
        status: 503,
        detail:
          'Appointments cannot be booked at the moment; this service is not set up correctly.',
      },
    });
  });

  test('the same webhook sent twice, and five times at once, books once', async () => {
    const botId = await ada();
    const before = eventIds('ada@example.com').length;
    const again = request(botId);
    const first = await send(again);
    expect(first.status).toBe(201);
    expect(await send(again)).toMatchObject({
      status: 200,
      body: { replayed: true, appointmentId: first.body.appointmentId },
    });
    const atOnce = request(botId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(atOnce)));
    expect(new Set(answers.map(({ body }) => body.appointmentId)).size).toBe(1);
    expect(answers.every(({ body }) => body.success)).toBe(true);
    expect(eventIds('ada@example.com')).toHaveLength(before + 2);
  });

  test('the executions tell which client was served, and fail when somebody must act', async () => {
    const workflowId = copyOf(file, dialect).id;
    const good = await ada();
    const made = await calhook().call('POST', '/api/bots', { name: 'Unconnected' });
    const broken = String(made.body.id);
    await send(request(good));
    await send(request(good, { email: 'nobody' }));
    await send(request(broken));
    await vi.waitFor(
      async () => {
        const executions = await n8n.executionsOf(workflowId);
        const of = (botId: string) =>
          executions
            .filter(({ customData }) => customData.botId === botId)
            .map(({ status }) => status);
        expect(of(good)).toEqual(['success', 'success']);
        expect(of(broken)).toEqual(['error']);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});
