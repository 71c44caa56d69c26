import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../apps/server/src/db/index.ts';
import { load, loadServer, type ServerLoadResult } from './load.ts';
import { median, residentMb, type ServerProcess, startProcess } from './processes.ts';
import { apiKey, serverEnvironment, startServerProcess } from './server-process.ts';

const goal = 0.8;
const rounds = 7;
const connections = 64;
const measureMs = 1_500;
/** Requests prepared in advance, in an order that no cache likes: uniformly random. */
const prepared = 100_000;

const botId = (i: number) => `bot-${i.toString(36).padStart(10, '0')}`;

/** Makes a database with this many connected bots, on disk, as the server itself would hold them. */
async function seed(path: string, bots: number): Promise<void> {
  await (await openDatabase(`sqlite:${path}`)).close();
  const db = new DatabaseSync(path);
  db.exec('pragma journal_mode = wal; pragma synchronous = off; begin');
  const bot = db.prepare(
    `insert into bots (id, name, time_zone, duration_minutes, weekly_hours, allowed_origins, created_at, updated_at)
     values (?, ?, 'Europe/Berlin', 30, null, '[]', 0, 0)`,
  );
  const connection = db.prepare(
    `insert into google_tokens (client_id, access_token, refresh_token, expiry_date, scope, created_at,
       updated_at, google_sub, account_email, calendar_id, status, status_reason, status_since, version)
     values (?, ?, ?, 0, ?, 0, 0, ?, ?, 'primary', 'connected', null, 1795000000000, 1)`,
  );
  // As long as real envelopes: Google's access tokens have about 220 characters, refresh tokens 103.
  const accessToken = `v1.k1.${'i'.repeat(16)}.${'a'.repeat(315)}`;
  const refreshToken = `v1.k1.${'i'.repeat(16)}.${'r'.repeat(159)}`;
  const scope = 'openid email https://www.googleapis.com/auth/calendar.events';
  for (let i = 0; i < bots; i++) {
    const number = String(i).padStart(7, '0');
    bot.run(botId(i), `Client ${number}`);
    const email = `owner${number}@example.com`;
    connection.run(
      botId(i),
      accessToken,
      refreshToken,
      scope,
      `1${number.padStart(20, '0')}`,
      email,
    );
  }
  db.exec('commit; pragma wal_checkpoint(truncate)');
  db.close();
}

function statusRequest(bot: string): Buffer {
  return Buffer.from(
    `GET /api/calendar/status/${bot} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\nAccept: application/json\r\n\r\n`,
  );
}

/** Every bot is asked about once: what a day of traffic leaves in memory. */
async function askAboutAll(port: number, bots: number): Promise<void> {
  let asked = 0;
  while (asked < bots) {
    await load({
      port,
      connections,
      measureMs: 1_000,
      expectedStatus: '200',
      next: () => statusRequest(botId(asked++ % bots)),
    });
  }
}

interface Measured {
  readonly rates: number[];
  /** Processor time of the server per answer, in microseconds. */
  readonly costs: number[];
}

async function measure(
  server: ServerProcess,
  port: number,
  requests: readonly Buffer[],
): Promise<ServerLoadResult> {
  let i = 0;
  return loadServer(server.pid, {
    port,
    connections,
    measureMs,
    expectedStatus: '200',
    next: () => requests[i++ % requests.length] as Buffer,
  });
}

async function compare(bots: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const path = join(directory, 'calhook.db');
  await seed(path, bots);
  const server = await startServerProcess(directory, serverEnvironment(`sqlite:${path}`));
  const port = server.port;
  const headers = { authorization: `Bearer ${apiKey}` };
  const body = await (
    await fetch(`http://127.0.0.1:${port}/api/calendar/status/${botId(0)}`, { headers })
  ).text();
  const bare = await startProcess({
    args: [join(import.meta.dirname, 'bare-status-server.ts'), body],
    env: {},
    logFile: join(directory, 'bare.log'),
    isReady: (log) => /port (\d+)/.exec(log)?.[1] ?? null,
  });
  try {
    const requests = Array.from({ length: prepared }, () =>
      statusRequest(botId(Math.floor(Math.random() * bots))),
    );
    const first = await measure(server.process, port, requests);
    await askAboutAll(port, bots);
    const [bareMeasured, ours]: [Measured, Measured] = [
      { rates: [], costs: [] },
      { rates: [], costs: [] },
    ];
    for (let round = 0; round < rounds; round++) {
      const b = await measure(bare, Number(bare.ready), requests);
      bareMeasured.rates.push(b.rate);
      bareMeasured.costs.push(b.costUs);
      const o = await measure(server.process, port, requests);
      ours.rates.push(o.rate);
      ours.costs.push(o.costUs);
    }
    const ratio = median(ours.rates) / median(bareMeasured.rates);
    console.log(
      `status bots=${bots} bare=${median(bareMeasured.rates).toFixed(0)}/s calhook=${median(ours.rates).toFixed(0)}/s ratio=${ratio.toFixed(2)} first-time=${first.rate.toFixed(0)}/s cpu-us bare=${median(bareMeasured.costs).toFixed(1)} calhook=${median(ours.costs).toFixed(1)} memory=${residentMb(server.process.pid).toFixed(0)}MB`,
    );
    return ratio;
  } finally {
    await bare.stop();
    await server.process.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Requests per second of the status route against a bare server that answers the same bytes. */
export async function run(): Promise<void> {
  const few = await compare(1_000);
  const many = await compare(Number(process.env.CALHOOK_BENCH_BOTS ?? 1_000_000));
  console.log(
    `status ratio=${many.toFixed(2)} goal=${goal.toFixed(2)} at-1000-bots=${few.toFixed(2)}`,
  );
}
