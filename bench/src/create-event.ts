import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import { googleOverrides } from '../../apps/server/src/demo/google-overrides.ts';
import { newId } from '../../apps/server/src/identifiers.ts';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { driveConsent } from '../../packages/google-sandbox/src/consent-driver.ts';
import { load } from './load.ts';
import { median } from './processes.ts';
import { consentBeside, startSandboxProcess } from './sandbox-process.ts';
import { apiKey, serverEnvironment, startServerProcess } from './server-process.ts';

const goal = 0.5;
const rounds = 5;
const connections = 32;
const measureMs = 2_000;
const account = 'ada@example.com';
const botId = 'bot-bench';

/** Slots of five minutes, one after another, so that no two bookings meet. */
function* slots(): Generator<{ date: string; time: string; start: string; end: string }> {
  const iso = (epochMs: number) => new Date(epochMs).toISOString();
  for (let at = Date.UTC(2030, 0, 1); ; at += 300_000) {
    const start = iso(at);
    const end = iso(at + 300_000);
    yield { date: start.slice(0, 10), time: start.slice(11, 16), start, end };
  }
}

const slot = slots();

function bookingRequest(): Buffer {
  const { date, time } = slot.next().value;
  const body = JSON.stringify({
    customerName: 'Alan Turing',
    email: 'alan@example.org',
    phone: '+44 20 7946 0000',
    date,
    time,
    notes: 'The front wheel squeaks.',
  });
  return Buffer.from(
    `POST /api/calendar/create-event/${botId} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** The event that Calhook would insert, field by field. */
function event(): object {
  const { start, end } = slot.next().value;
  const id = newId(Date.now());
  return {
    id,
    summary: 'Alan Turing',
    description:
      'Name: Alan Turing\nE-mail: alan@example.org\nPhone: +44 20 7946 0000\n\nThe front wheel squeaks.',
    start: { dateTime: start, timeZone: 'UTC' },
    end: { dateTime: end, timeZone: 'UTC' },
    attendees: [{ email: 'alan@example.org', displayName: 'Alan Turing' }],
    reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1_440 }] },
    guestsCanInviteOthers: false,
    guestsCanModify: false,
    extendedProperties: { private: { calhookAppointmentId: `apt-${id}`, calhookBotId: botId } },
  };
}

/** Inserts events with undici and nothing else. */
async function bareLoop(
  pool: Pool,
  accessToken: string,
  concurrency: number,
  forMs: number,
): Promise<{ rate: number; medianMs: number }> {
  const times: number[] = [];
  const path = '/calendar/v3/calendars/primary/events?sendUpdates=all&conferenceDataVersion=1';
  const from = performance.now();
  const until = from + forMs;
  const one = async () => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const response = await pool.request({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(event()),
      });
      const answer = JSON.parse(await response.body.text());
      if (response.statusCode !== 200)
        throw new Error(`insert: ${response.statusCode} ${JSON.stringify(answer)}`);
      times.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { rate: (times.length * 1_000) / (performance.now() - from), medianMs: median(times) };
}

/** Bookings per second, and their latency, against inserting the same events with undici alone. */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const serverPort = await freePorts();
  const redirectUri = `http://127.0.0.1:${serverPort}/oauth/google/callback`;
  const sandbox = await startSandboxProcess(directory, account, [redirectUri]);
  const { endpoints } = sandbox;
  const server = await startServerProcess(
    directory,
    serverEnvironment(`sqlite:${join(directory, 'calhook.db')}`, {
      CALHOOK_PORT: String(serverPort),
      ...googleOverrides(endpoints),
    }),
  );
  const pool = new Pool(endpoints.apiUrl, { connections });
  try {
    const call = async (path: string, body: object) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as { url: string };
    };
    await call('/api/bots', { id: botId, name: 'Bench', timeZone: 'UTC', durationMinutes: 5 });
    const { url } = await call(`/api/calendar/connect/${botId}`, {});
    const page = await connectAs({ consent: driveConsent }, url, { account });
    if (!page.ok) throw new Error(`connect: ${page.status}`);
    const { access_token: accessToken } = await consentBeside(endpoints, account, redirectUri);

    const book = async (concurrency: number) => {
      const result = await load({
        port: server.port,
        connections: concurrency,
        measureMs,
        expectedStatus: '201',
        next: bookingRequest,
      });
      if (result.unexpected > 0) throw new Error(`${result.unexpected} bookings were not 201`);
      return result;
    };
    await bareLoop(pool, accessToken, connections, 1_000);
    await book(connections);
    const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    const alone: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    for (let round = 0; round < rounds; round++) {
      rates.bare.push((await bareLoop(pool, accessToken, connections, measureMs)).rate);
      rates.ours.push((await book(connections)).rate);
      alone.bare.push((await bareLoop(pool, accessToken, 1, measureMs / 2)).medianMs);
      alone.ours.push((await book(1)).medianMs);
    }
    const ratio = median(rates.ours) / median(rates.bare);
    const added = median(alone.ours) - median(alone.bare);
    console.log(
      `create-event at ${connections} at once: bare=${median(rates.bare).toFixed(0)}/s calhook=${median(rates.ours).toFixed(0)}/s; one at a time: bare=${median(alone.bare).toFixed(2)}ms calhook=${median(alone.ours).toFixed(2)}ms`,
    );
    console.log(
      `create-event ratio=${ratio.toFixed(2)} goal=${goal.toFixed(2)} added-median-ms=${added.toFixed(2)}`,
    );
  } finally {
    await pool.destroy();
    await server.process.stop();
    await sandbox.process.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
