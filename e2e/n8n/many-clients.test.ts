import { withSettings } from 'local-n8n';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookingOf } from '../../apps/server/test/support/bookings.ts';
import { openTestApp, type TestApp } from '../../apps/server/test/support/test-app.ts';
import { type N8nForTests, startN8nForTests, type WebhookAnswer } from './support/n8n-for-tests.ts';
import { headerAuth, readWorkflow } from './support/workflow-files.ts';

const clients = 20;
const webhooks = 500;
/** The bound on the rate: how many are under way at once. */
const atOnce = 8;

let calhook: TestApp;
let n8n: N8nForTests;
beforeAll(async () => {
  calhook = await openTestApp({ dialect: 'postgres' });
  const made = await calhook.call('POST', '/api/keys', {
    name: 'n8n',
    scopes: ['status:read', 'appointments:write'],
  });
  n8n = await startN8nForTests({
    engine: 'legacy',
    credentials: [headerAuth('calhookApiKey001', String(made.body.secret))],
    workflows: [
      withSettings(readWorkflow('appointment-booking.json'), { calhookUrl: calhook.url }),
    ],
  });
});
afterAll(async () => {
  await n8n?.stop();
  await calhook?.close();
});

test('500 webhooks for 20 clients: each is answered, each event is in its own calendar', async () => {
  const accountOf = (client: number) => `owner-${client}@example.com`;
  const botIds: string[] = [];
  for (let client = 0; client < clients; client++) {
    calhook.sandbox.addAccount({ email: accountOf(client) });
    botIds.push(await calhook.connectedBot(accountOf(client)));
  }

  const answers: WebhookAnswer[] = [];
  let next = 0;
  const from = performance.now();
  const sendOnAndOn = async () => {
    while (next < webhooks) {
      const number = next++;
      const { customerName, ...fields } = bookingOf({ email: `visitor-${number}@example.org` });
      answers[number] = await n8n.post('appointment', {
        botId: botIds[number % clients],
        type: 'appointment',
        formData: { fullName: customerName, ...fields },
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendOnAndOn));
  const seconds = (performance.now() - from) / 1_000;
  process.stdout.write(
    `${webhooks} webhooks answered, ${(webhooks / seconds).toFixed(0)} a second\n`,
  );

  expect(answers).toHaveLength(webhooks);
  expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
  for (let client = 0; client < clients; client++) {
    const answered = answers
      .filter((_, number) => number % clients === client)
      .map(({ body }) => body.eventId);
    const inCalendar = calhook.sandbox.events(accountOf(client)).map(({ id }) => id);
    expect(new Set(answered).size).toBe(webhooks / clients);
    expect(inCalendar.sort(), accountOf(client)).toEqual(answered.sort());
  }
}, 240_000);
