import pino from 'pino';
import { readConfig } from '../../src/config.ts';
import { AccessTokens } from '../../src/connections/access-tokens.ts';
import { type Connection, calendarKey } from '../../src/connections/connection.ts';
import { Connections } from '../../src/connections/connections.ts';
import { OperatorAlarm } from '../../src/connections/operator-alarm.ts';
import { Refresh, refreshPolicy } from '../../src/connections/refresh.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { GoogleCalendar, GoogleOAuth } from '../../src/google/index.ts';
import type { MirrorListener } from '../../src/sync/listener.ts';
import { Mirror } from '../../src/sync/mirror.ts';
import { Polling } from '../../src/sync/polling.ts';
import { openVault } from '../../src/vault/index.ts';
import { type TestApp, testEnvironment } from './test-app.ts';

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
  /** Pulls, and tells when the calendar is busy: `start/end` in UTC, without seconds. */
  pulled(botId: string, from: string, to: string): Promise<string[]>;
  /** As {@link pulled}, without asking Google. */
  busy(botId: string, from: string, to: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openTestMirror(
  app: TestApp,
  listener: MirrorListener = keepsAll,
): Promise<TestMirror> {
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
  return {
    mirror,
    polling,
    database,
    log: lines,
    connectionOf,
    keyOf,
    busy,
    async pulled(botId, from, to) {
      await mirror.pull(await connectionOf(botId), { budgetMs: 5_000, until: Date.parse(to) });
      return busy(botId, from, to);
    },
    async close() {
      await mirror.close();
      await refresh.close();
      await calendar.close();
      await database.close();
    },
  };
}

const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16);

/** An account of its own in the sandbox, and a bot that is connected to it. */
export async function mirroredBot(
  app: TestApp,
  timeZone = 'Europe/Berlin',
): Promise<{ botId: string; email: string }> {
  const email = `owner${accounts++}@example.com`;
  app.sandbox.addAccount({ email, timeZone });
  return { botId: await app.connectedBot(email), email };
}
let accounts = 0;

/** What `work` asks of Google: the parameters of each `events.list`. */
export async function listsDuring(
  app: TestApp,
  work: () => Promise<unknown>,
): Promise<Record<string, string | string[]>[]> {
  app.sandbox.requests.clear();
  await work();
  return app.sandbox.requests
    .filter(({ route }) => route === 'events.list')
    .map(({ query }) => query);
}
