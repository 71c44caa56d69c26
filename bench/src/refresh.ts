import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sealTokens } from '../../apps/server/src/connections/connection.ts';
import { openDatabase } from '../../apps/server/src/db/index.ts';
import { googleOverrides } from '../../apps/server/src/demo/google-overrides.ts';
import { openVault } from '../../apps/server/src/vault/index.ts';
import { anyHour, bookingOf, slots } from './bookings.ts';
import { type ConnectedBots, startConnectedBots } from './connected-bots.ts';
import { loadServer } from './load.ts';
import { median } from './processes.ts';
import { consentBeside, type Endpoints } from './sandbox-process.ts';
import { apiKey, encryptionKey, serverEnvironment, startServerProcess } from './server-process.ts';

const goal = 0.9;
const callsGoal = 1;
const callers = 1_000;
const bots = Number(process.env.CALHOOK_BENCH_REFRESHES ?? 10_000);
const connections = 64;
/** The busy server is measured longer: its refreshes are to be done within minutes. */
const measureMs = { idle: 1_500, busy: 5_000 };
const account = 'ada@example.com';
const day = 24 * 3_600_000;
/** Long enough for a grant to be kept alive. */
const longAgoMs = 40 * day;
/**
 * So many grants the idle server refreshes before it is measured, as every server has: code that has
 * never called Google is compiled more narrowly, and answers an eighth faster, which is no cost of
 * the refreshes that run at the same time.
 */
const refreshedBefore = 128;
const botId = (i: number) => `bot-${String(i).padStart(5, '0')}`;

/** How often the token endpoint of the sandbox was asked for a refresh. */
async function refreshesAt({ tokenUrl }: Endpoints): Promise<number> {
  const answer = await fetch(new URL('/sandbox/requests?route=token', tokenUrl));
  const { requests } = (await answer.json()) as { requests: { body: { grant_type: string } }[] };
  return requests.filter(({ body }) => body.grant_type === 'refresh_token').length;
}

/** Callers that book at the same moment, each another slot, when the access token has ended. */
async function callsOfManyCallers({ directory, endpoints, post }: ConnectedBots): Promise<number> {
  const db = new DatabaseSync(join(directory, 'calhook.db'), { timeout: 5_000 });
  db.exec('update google_tokens set expiry_date = 0');
  db.close();
  const before = await refreshesAt(endpoints);
  const free = slots().take(callers);
  await Promise.all(
    Array.from(free, (slot) => post(`/api/calendar/create-event/${botId(0)}`, bookingOf(slot))),
  );
  return (await refreshesAt(endpoints)) - before;
}

/** A database of connected bots, of which the first `due` got their last token long ago. */
async function seed(
  path: string,
  tokens: { readonly access_token: string; readonly refresh_token: string },
  due: number,
): Promise<void> {
  const database = await openDatabase(`sqlite:${path}`);
  const vault = await openVault([encryptionKey], database, Date.now);
  await database.close();
  const db = new DatabaseSync(path);
  db.exec('begin');
  const bot = db.prepare(
    `insert into bots (id, name, time_zone, duration_minutes, allowed_origins, created_at, updated_at)
     values (?, 'Client', 'UTC', 30, '[]', 0, 0)`,
  );
  const connection = db.prepare(
    `insert into google_tokens (client_id, access_token, refresh_token, expiry_date, scope, created_at,
       updated_at, google_sub, account_email, calendar_id, status, status_since, version, refreshed_at)
     values (?, ?, ?, 0, 'openid', 0, 0, ?, ?, 'primary', 'connected', 0, 1, ?)`,
  );
  const now = Date.now();
  for (let i = 0; i < bots; i++) {
    const id = botId(i);
    bot.run(id);
    const sealed = sealTokens(vault, id, {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
    });
    const refreshedAt = i < due ? now - longAgoMs : now;
    connection.run(id, sealed.access_token, sealed.refresh_token, id, account, refreshedAt);
  }
  db.exec('commit');
  db.close();
}

/** How many connections of a database got a token since it was made. */
function refreshedIn(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  const row = db.prepare('select count(*) as n from google_tokens where version > 1').get();
  db.close();
  return Number(row?.n);
}

/**
 * Status answers of a server that keeps its idle grants alive meanwhile, against one that has
 * nothing else to do. They take turns; the one whose turn it is not is stopped.
 */
async function statusDuringRefreshes(
  directory: string,
  endpoints: Endpoints,
  redirectUri: string,
): Promise<{ ratio: number; refreshesPerSecond: number }> {
  const tokens = await consentBeside(endpoints, account, redirectUri);
  const open = async (name: string, due: number) => {
    const path = join(directory, `${name}.db`);
    await seed(path, tokens, due);
    const google = googleOverrides(endpoints);
    const server = await startServerProcess(directory, serverEnvironment(`sqlite:${path}`, google));
    const { pid } = server.process;
    return {
      path,
      server,
      pause: () => process.kill(pid, 'SIGSTOP'),
      go: () => process.kill(pid, 'SIGCONT'),
    };
  };
  const idle = await open('idle', refreshedBefore);
  const busy = await open('busy', bots);
  const statusRequests = Array.from({ length: bots }, (_, i) =>
    Buffer.from(
      `GET /api/calendar/status/${botId(i)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\nAccept: application/json\r\n\r\n`,
    ),
  );
  const measure = ({ server }: typeof idle, forMs: number) => {
    let i = 0;
    return loadServer(server.process.pid, {
      port: server.port,
      connections,
      measureMs: forMs,
      expectedStatus: '200',
      next: () => statusRequests[i++ % bots] as Buffer,
    });
  };
  try {
    busy.pause();
    await measure(idle, measureMs.busy);
    if (refreshedIn(idle.path) < refreshedBefore)
      throw new Error('the idle server is not idle yet');
    idle.pause();
    busy.go();
    await measure(busy, measureMs.busy);
    const rates: { idle: number[]; busy: number[] } = { idle: [], busy: [] };
    const counted: number[] = [];
    for (;;) {
      busy.pause();
      idle.go();
      const alone = await measure(idle, measureMs.idle);
      idle.pause();
      busy.go();
      const before = refreshedIn(busy.path);
      const from = performance.now();
      const meanwhile = await measure(busy, measureMs.busy);
      const refreshed = refreshedIn(busy.path) - before;
      // Only rounds in which refreshes ran from the first moment to the last count.
      if (refreshedIn(busy.path) === bots) break;
      counted.push((refreshed * 1_000) / (performance.now() - from));
      rates.idle.push(alone.rate);
      rates.busy.push(meanwhile.rate);
      console.log(
        `refresh round=${rates.idle.length} idle=${alone.rate.toFixed(0)}/s with-refreshes=${meanwhile.rate.toFixed(0)}/s refreshes=${counted.at(-1)?.toFixed(0)}/s cpu-us idle=${alone.costUs.toFixed(1)} with-refreshes=${meanwhile.costUs.toFixed(1)}`,
      );
    }
    return {
      ratio: median(rates.busy.map((rate, i) => rate / (rates.idle[i] as number))),
      refreshesPerSecond: median(counted),
    };
  } finally {
    idle.go();
    busy.go();
    await idle.server.process.stop();
    await busy.server.process.stop();
  }
}

/** What refreshes cost: Google, and the callers who only ask for the status. */
export async function run(): Promise<void> {
  const connected = await startConnectedBots([{ id: botId(0), account, settings: anyHour }]);
  const { directory, endpoints, redirectUri, server } = connected;
  try {
    const calls = await callsOfManyCallers(connected);
    await server.stop();
    const during = await statusDuringRefreshes(directory, endpoints, redirectUri);
    const { ratio, refreshesPerSecond } = during;
    console.log(
      `refresh ratio=${ratio.toFixed(2)} goal=${goal.toFixed(2)} calls-per-${callers}-callers=${calls} goal=${callsGoal} refreshes=${bots} at=${refreshesPerSecond.toFixed(0)}/s`,
    );
  } finally {
    await connected.stop();
  }
}
