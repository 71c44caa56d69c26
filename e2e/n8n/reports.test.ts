import { withSettings } from 'local-n8n';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { bookingOf } from '../../apps/server/test/support/bookings.ts';
import { openTestApp, type TestApp } from '../../apps/server/test/support/test-app.ts';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { startRecorder } from './support/recorder.ts';
import { headerAuth, readWorkflow } from './support/workflow-files.ts';

const booking = readWorkflow('appointment-booking.json');

let calhook: TestApp;
let chat: Awaited<ReturnType<typeof startRecorder>>;
let n8n: N8nForTests;
beforeAll(async () => {
  calhook = await openTestApp({ dialect: 'sqlite' });
  chat = await startRecorder(() => ({}));
  const made = await calhook.call('POST', '/api/keys', {
    name: 'n8n',
    scopes: ['status:read', 'appointments:write'],
  });
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [headerAuth('calhookApiKey001', String(made.body.secret))],
    workflows: [
      withSettings(booking, { calhookUrl: calhook.url }),
      withSettings(readWorkflow('report-failed-client.json'), { reportUrl: `${chat.url}/reports` }),
    ],
  });
});
afterAll(async () => {
  await n8n?.stop();
  await chat?.close();
  await calhook?.close();
});
beforeEach(() => {
  chat.requests.length = 0;
});

const book = (botId: string, changes: Record<string, unknown> = {}) =>
  n8n.post('appointment', { botId, type: 'appointment', formData: bookingOf(changes) });

async function reported(): Promise<Record<string, unknown>> {
  await vi.waitFor(() => expect(chat.requests).toHaveLength(1), { timeout: 10_000, interval: 50 });
  const [{ method, url, body } = {}] = chat.requests;
  expect([method, url]).toEqual(['POST', '/reports']);
  return body as Record<string, unknown>;
}

test('a client whose calendar must be connected again is reported by name', async () => {
  const botId = await calhook.connectedBot('ada@example.com');
  await calhook.call('POST', `/api/calendar/disconnect/${botId}`);
  expect((await book(botId)).status).toBe(424);
  const report = await reported();
  expect(report).toMatchObject({
    botId,
    workflow: booking.name,
    reason:
      'calendar_not_connected: Appointments cannot be booked here yet, because no calendar is connected.',
    execution: expect.stringMatching(`/workflow/${booking.id}/executions/\\d+$`),
  });
  expect(report.text).toContain(`${botId} failed in "${booking.name}": calendar_not_connected`);
});

test('an outage is reported with what failed', async () => {
  const botId = await calhook.connectedBot('ada@example.com');
  const outage = calhook.sandbox.faults.add({
    route: '*',
    times: 1_000,
    fault: { kind: 'html', status: 503 },
  });
  expect((await book(botId)).status).toBe(503);
  outage.remove();
  expect(await reported()).toMatchObject({
    botId,
    reason: expect.stringContaining('calendar_unreachable'),
  });
});

test('what a visitor can mend, and made-up bots, are not reported', async () => {
  const botId = await calhook.connectedBot('ada@example.com');
  expect((await book(botId, { email: 'nobody' })).status).toBe(400);
  expect((await book('bot-made-up')).status).toBe(404);
  expect((await n8n.post('appointment', {})).status).toBe(400);
  // Reports come in the order of their causes: had one of these been reported, it would be first.
  await calhook.call('POST', `/api/calendar/disconnect/${botId}`);
  expect((await book(botId)).status).toBe(424);
  expect(await reported()).toMatchObject({
    botId,
    reason: expect.stringContaining('calendar_not_connected'),
  });
});
