import type { Sandbox } from 'google-sandbox';
import pino from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { AccessTokens } from '../../src/connections/access-tokens.ts';
import { type Connection, calendarKey } from '../../src/connections/connection.ts';
import { Connections } from '../../src/connections/connections.ts';
import { OperatorAlarm } from '../../src/connections/operator-alarm.ts';
import { Refresh, refreshPolicy } from '../../src/connections/refresh.ts';
import type { DialectName } from '../../src/db/dialect.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { GoogleCalendar, GoogleOAuth } from '../../src/google/index.ts';
import type { MirrorListener } from '../../src/sync/listener.ts';
import { Mirror } from '../../src/sync/mirror.ts';
import { Polling } from '../../src/sync/polling.ts';
import { openVault } from '../../src/vault/index.ts';
import { runSql } from './stored.ts';
import { openTestApp, type TestApp, testEnvironment, unlimited } from './test-app.ts';

/** Keeps every event as a busy span, and hears of nothing. */
const keepsAll: MirrorListener = {
  expectedEvents: async () => [],
  ownEvents: async (_tx, { events }) => ({ keep: new Set(events.map((event) => event.eventId)) }),
  busyChanged: async () => {},
};

/** A mirror on a database handle of its own, as another process would have it. */
export interface TestMirror {
  readonly mirror: Mirror;
  readonly polling: Polling;
  readonly database: Database;
  readonly log: string[];
  connectionOf(botId: string): Promise<Connection>;
  keyOf(botId: string): Promise<string>;
  /** What is stored of the bot's calendar, aside from its spans. */
  rowOf(botId: string): Promise<Record<string, unknown> | undefined>;
  /** Pulls, and tells when the calendar is busy: `start/end` in UTC, without seconds. */
  pulled(botId: string, from: string, to: string): Promise<string[]>;
  /** As {@link pulled}, without asking Google. */
  busy(botId: string, from: string, to: string): Promise<string[]>;
  /** Pulls, and tells what that asked of Google, as {@link listsDuring}. */
  listsOf(botId: string, until?: string): Promise<List[]>;
  close(): Promise<void>;
}

/** A server that calls Google as often as it likes, and a mirror on its database. */
export interface MirroredApp {
  readonly app: TestApp;
  readonly own: TestMirror;
  /** What another process would have. */
  openAnother(listener?: MirrorListener): Promise<TestMirror>;
}

/** Opens a server and a mirror before the tests of a suite, and closes them after it. */
export function withMirrors(
  dialect: DialectName,
  ready: (opened: MirroredApp) => Promise<void>,
  listener?: MirrorListener,
): void {
  let app: TestApp;
  const mirrors: TestMirror[] = [];
  const openAnother: MirroredApp['openAnother'] = async (hears = keepsAll) => {
    const mirror = await openTestMirror(app, hears);
    mirrors.push(mirror);
    return mirror;
  };
  beforeAll(async () => {
    app = await openTestApp({ dialect });
    app.sandbox.set(unlimited);
    await ready({ app, own: await openAnother(listener), openAnother });
  });
  afterAll(async () => {
    for (const mirror of mirrors) await mirror.close();
    await app.close();
  });
}

async function openTestMirror(app: TestApp, listener: MirrorListener): Promise<TestMirror> {
  const config = readConfig(testEnvironment(app.sandbox, app.database.url, app.url));
  const database = await openDatabase(config.databaseUrl);
  const now = () => app.sandbox.clock.now();
  const lines: string[] = [];
  const log = pino(
    { level: 'trace', base: null },
    { write: (line: string) => void lines.push(line) },
  );
  const oauth = new GoogleOAuth(config.google, `${app.url}/oauth/google/callback`, now);
  const vault = await openVault(config.encryptionKeys, database, now);
  const alarm = new OperatorAlarm(log, now);
  const connectionParts = { database, vault, oauth, alarm, log, now };
  const connections = new Connections(connectionParts);
  const refresh = new Refresh(connectionParts, refreshPolicy);
  const accessTokens = new AccessTokens(connectionParts, refresh);
  const calendar = new GoogleCalendar(config.google.apiUrl);
  const mirror = new Mirror({ database, accessTokens, calendar, listener, log, now });
  const polling = new Polling({ database, connections, mirror, log, now });
  const connectionOf = (botId: string) => connections.requireUsable(botId);
  const keys = new Map<string, string>();
  const keyOf = async (botId: string) => {
    // Kept, since a bot whose connection ended has no usable one any more.
    const key = keys.get(botId) ?? calendarKey(await connectionOf(botId));
    keys.set(botId, key);
    return key;
  };
  const busy: TestMirror['busy'] = async (botId, from, to) => {
    const spans = await mirror.busy(await keyOf(botId), Date.parse(from), Date.parse(to));
    return spans.map(({ startsAt, endsAt }) => `${minute(startsAt)}/${minute(endsAt)}`);
  };
  const pull = async (botId: string, until: string) =>
    mirror.pull(await connectionOf(botId), { budgetMs: 5_000, until: Date.parse(until) });
  return {
    mirror,
    polling,
    database,
    log: lines,
    connectionOf,
    keyOf,
    busy,
    async rowOf(botId) {
      const rows = `select * from calendars where calendar = '${await keyOf(botId)}'`;
      return (await runSql(app.database, rows))[0];
    },
    async pulled(botId, from, to) {
      await pull(botId, to);
      return busy(botId, from, to);
    },
    listsOf: (botId, until = '2026-03-01T00:00Z') => listsDuring(app, () => pull(botId, until)),
    async close() {
      await mirror.close();
      await refresh.close();
      await calendar.close();
      await database.close();
    },
  };
}

const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16);

/** A bot with an account of its own in the sandbox, and its owner's hand. */
export interface MirroredBot {
  readonly botId: string;
  readonly email: string;
  /** Makes an event of the owner, or changes the one of that `id`. */
  put(event: Record<string, unknown>): ReturnType<Sandbox['putEvent']>;
}

export async function mirroredBot(app: TestApp, timeZone = 'Europe/Berlin'): Promise<MirroredBot> {
  const email = `owner${accounts++}@example.com`;
  app.sandbox.addAccount({ email, timeZone });
  return {
    botId: await app.connectedBot(email),
    email,
    put: (event) => app.sandbox.putEvent(email, event),
  };
}
let accounts = 0;

const clocksIn = (timeZone: string) => (start: string, end: string) => ({
  start: { dateTime: `${start}:00`, timeZone },
  end: { dateTime: `${end}:00`, timeZone },
});
/** The times of an event, as clocks in Berlin show them: `2026-01-13T10:00`. */
export const berlin = clocksIn('Europe/Berlin');
export const utc = clocksIn('UTC');

/** Has Google answer the next `events.list` with these events. */
export function answerNextList(app: TestApp, items: unknown[], timeZone = 'Europe/Berlin'): void {
  const body = { kind: 'calendar#events', timeZone, items, nextSyncToken: 'made-up' };
  app.sandbox.faults.add({
    route: 'events.list',
    fault: { kind: 'status', status: 200, body },
  });
}

/** The parameters of an `events.list`. */
export type List = Record<string, string | string[]>;

/** What `work` asks of Google. */
export async function listsDuring(app: TestApp, work: () => Promise<unknown>): Promise<List[]> {
  app.sandbox.requests.clear();
  await work();
  return app.sandbox.requests
    .filter(({ route }) => route === 'events.list')
    .map(({ query }) => query);
}
