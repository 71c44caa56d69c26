import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installN8n, type N8nWorkflow, startN8n, withSettings } from 'local-n8n';
import { Pool } from 'undici';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import { googleOverrides } from '../../apps/server/src/demo/google-overrides.ts';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { driveConsent } from '../../packages/google-sandbox/src/consent-driver.ts';
import { anyHour, slots } from './bookings.ts';
import { median, startProcess } from './processes.ts';
import { apiKey, oauthClient, serverEnvironment, startServerProcess } from './server-process.ts';

/** At most so much of a booking through n8n may be Calhook's. */
const goal = 0.15;
const rounds = 5;
const bookingsPerRound = 30;
const atOnce = 8;
const measureMs = 4_000;
const account = 'ada@example.com';
const botId = 'bot-bench';
const sandboxCli = join(import.meta.dirname, '../../packages/google-sandbox/src/cli.ts');
const workflowFile = join(import.meta.dirname, '../../workflows/appointment-booking.json');

/** Answers a webhook at once, and calls nobody: what n8n itself costs. */
const bareWorkflow: N8nWorkflow = {
  id: 'benchBareWorkflo',
  name: 'Bare',
  settings: { executionOrder: 'v1' },
  active: false,
  nodes: [
    {
      name: 'Webhook',
      type: 'n8n-nodes-base.webhook',
      parameters: { httpMethod: 'POST', path: 'bare', responseMode: 'responseNode', options: {} },
      ...{ id: 'bare-1', typeVersion: 2, position: [0, 0], webhookId: 'bare' },
    },
    {
      name: 'Answer',
      type: 'n8n-nodes-base.respondToWebhook',
      parameters: {
        respondWith: 'json',
        responseBody: '={{ JSON.stringify({ success: true }) }}',
        options: {},
      },
      ...{ id: 'bare-2', typeVersion: 1.1, position: [200, 0] },
    },
  ],
  connections: { Webhook: { main: [[{ node: 'Answer', type: 'main', index: 0 }]] } },
};

const free = slots();

/** A booking of five minutes that meets no other one. */
function form(): Record<string, string> {
  const { date, time } = free.next().value;
  return { fullName: 'Alan Turing', email: 'alan@example.org', date, time };
}

type Send = () => Promise<void>;

function sender(pool: Pool, method: 'GET' | 'POST', path: string, body?: () => object): Send {
  return async () => {
    const response = await pool.request({
      method,
      path,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body()) } : {}),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${text}`);
  };
}

async function timesOf(send: Send, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let sent = 0; sent < count; sent++) {
    const from = performance.now();
    await send();
    times.push(performance.now() - from);
  }
  return times;
}

async function rateOf(send: Send): Promise<number> {
  const from = performance.now();
  const until = from + measureMs;
  let answers = 0;
  const one = async () => {
    while (performance.now() < until) {
      await send();
      answers++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return (answers * 1_000) / (performance.now() - from);
}

/**
 * How much of a booking through n8n is Calhook's (its two calls, made directly, against the whole),
 * and how many webhooks the workflow takes against one that only answers, in the same n8n with the
 * expression engine that users have.
 */
export async function run(): Promise<void> {
  const installation = await installN8n((line) => console.log(line));
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const ending: (() => Promise<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  ];
  try {
    const serverPort = await freePorts();
    const seedFile = join(directory, 'seed.json');
    await writeFile(
      seedFile,
      JSON.stringify({
        accounts: [{ email: account, timeZone: 'UTC' }],
        clients: [
          {
            ...oauthClient,
            redirectUris: [`http://127.0.0.1:${serverPort}/oauth/google/callback`],
          },
        ],
      }),
    );
    const sandbox = await startProcess({
      args: [sandboxCli, '--seed', seedFile, '--no-limits'],
      env: {},
      logFile: join(directory, 'sandbox.log'),
      isReady: (log) => /ready (\{.*\})/.exec(log)?.[1] ?? null,
    });
    ending.push(() => sandbox.stop());
    const server = await startServerProcess(
      directory,
      serverEnvironment(`sqlite:${join(directory, 'calhook.db')}`, {
        CALHOOK_PORT: String(serverPort),
        ...googleOverrides(JSON.parse(sandbox.ready).endpoints),
      }),
    );
    ending.push(() => server.process.stop());
    const calhook = new Pool(server.url);
    ending.push(() => calhook.destroy());
    const call = async (path: string, body: object): Promise<{ url: string }> => {
      const response = await calhook.request({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.body.json()) as { url: string };
    };
    await call('/api/bots', { id: botId, name: 'Bench', ...anyHour });
    const { url } = await call(`/api/calendar/connect/${botId}`, {});
    const page = await connectAs({ consent: driveConsent }, url, { account });
    if (!page.ok) throw new Error(`connect: ${page.status}`);

    const workflow: N8nWorkflow = JSON.parse(readFileSync(workflowFile, 'utf8'));
    const workflows = [withSettings(workflow, { calhookUrl: server.url }), bareWorkflow];
    const n8n = await startN8n({
      installation,
      port: await freePorts(2),
      directory: join(directory, 'n8n'),
      credentials: [
        {
          id: 'calhookApiKey001',
          name: 'Calhook API key',
          type: 'httpHeaderAuth',
          data: { name: 'Authorization', value: `Bearer ${apiKey}` },
        },
      ],
      workflows,
      published: workflows.map(({ id }) => id),
      owner: { email: 'operator@example.com', password: 'Bench-password-1' },
    });
    ending.push(() => n8n.stop());
    const webhooks = new Pool(n8n.url, { connections: atOnce });
    ending.push(() => webhooks.destroy());

    const status = sender(calhook, 'GET', `/api/calendar/status/${botId}`);
    const create = sender(calhook, 'POST', `/api/calendar/create-event/${botId}`, form);
    const viaN8n = sender(webhooks, 'POST', '/webhook/appointment', () => ({
      botId,
      type: 'appointment',
      formData: form(),
    }));
    const bare = sender(webhooks, 'POST', '/webhook/bare', () => ({
      botId,
      type: 'appointment',
      formData: form(),
    }));

    await timesOf(viaN8n, bookingsPerRound);
    await timesOf(bare, bookingsPerRound);
    await timesOf(create, bookingsPerRound);
    const whole: number[] = [];
    const statuses: number[] = [];
    const creates: number[] = [];
    const rates: { workflow: number[]; bare: number[] } = { workflow: [], bare: [] };
    for (let round = 0; round < rounds; round++) {
      whole.push(...(await timesOf(viaN8n, bookingsPerRound)));
      statuses.push(...(await timesOf(status, bookingsPerRound)));
      creates.push(...(await timesOf(create, bookingsPerRound)));
      rates.workflow.push(await rateOf(viaN8n));
      rates.bare.push(await rateOf(bare));
    }
    const ours = median(statuses) + median(creates);
    const share = ours / median(whole);
    const rate = median(rates.workflow);
    const bareRate = median(rates.bare);
    console.log(
      `n8n: a booking takes ${median(whole).toFixed(1)} ms, of which Calhook ${ours.toFixed(1)} ms (status ${median(statuses).toFixed(1)}, create-event with its call to the stand-in for Google ${median(creates).toFixed(1)}); at ${atOnce} at once ${rate.toFixed(1)} webhooks/s, ${bareRate.toFixed(1)}/s without a call`,
    );
    console.log(
      `n8n ratio=${share.toFixed(2)} goal=${goal.toFixed(2)} at-most webhooks-ratio=${(rate / bareRate).toFixed(2)}`,
    );
  } finally {
    for (const end of ending.reverse()) await end();
  }
}
