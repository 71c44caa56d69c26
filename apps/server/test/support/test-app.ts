import { randomBytes } from 'node:crypto';
import { type Sandbox, startSandbox } from 'google-sandbox';
import pino from 'pino';
import { type App, openApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { type RefreshPolicy, refreshPolicy } from '../../src/connections/refresh.ts';
import type { DialectName } from '../../src/db/dialect.ts';
import { connectAs } from '../../src/demo/connect-as.ts';
import { googleOverrides } from '../../src/demo/google-overrides.ts';
import type { RetryPolicy } from '../../src/google/index.ts';
import { createTestDatabase, type TestDatabase } from './databases.ts';
import { freePorts } from './free-ports.ts';

/** The key that every test app has, with all scopes. */
export const bootstrapKey = `chk_bootstrap_${'k'.repeat(43)}`;
/** The random part of a key. */
export function secretPartOf(key: string): string {
  return key.replace(/^chk_[a-z0-9]+_/, '');
}
export const oauthClient = { clientId: 'test-client', clientSecret: 'test-client-secret' };

const accounts = [
  { email: 'ada@example.com', name: 'Ada Lovelace', timeZone: 'Europe/London' },
  { email: 'grace@example.com', name: 'Grace Hopper', timeZone: 'America/New_York' },
];

/** A Google that limits nobody, for tests that are not about its limits. */
export const unlimited = {
  requestsPerMinutePerUser: 0,
  requestsPerMinutePerProject: 0,
  externalInvitesPerDay: 0,
};

/** When the clocks of tests start, so that no test depends on today: a Monday morning. */
export const startOfTests = Date.parse('2026-01-12T08:00:00Z');

/** Repeats quickly and gives up soon, so that tests of outages need no patience. */
const impatient: RetryPolicy = { budgetMs: 1_500, firstPauseMs: 5, maxPauseMs: 20 };

const impatientRefresh = { ...refreshPolicy, firstPauseMs: 5 };

export interface TestAppOptions {
  readonly dialect: DialectName;
  readonly retry?: RetryPolicy;
  readonly refresh?: RefreshPolicy;
  /** Starts over on a database that exists. */
  readonly database?: TestDatabase;
  readonly sandbox?: Sandbox;
  /** How far the server's clock is from Google's, in milliseconds. */
  readonly clockOffsetMs?: number;
  /** What differs from {@link testEnvironment}. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the server answered. */
export interface Answer {
  readonly status: number;
  /** The JSON object; empty when it is none. */
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
  readonly text: string;
}

/** A whole server on a real socket and a real database, with its own sandbox. */
export interface TestApp {
  readonly app: App;
  readonly sandbox: Sandbox;
  readonly database: TestDatabase;
  readonly url: string;
  /** Every line that was logged. */
  readonly log: string[];
  /** Sends a request as it is given. */
  send(path: string, request?: RequestInit): Promise<Answer>;
  /** Calls the API with the bootstrap key, or the one given; null: none. */
  call(method: string, path: string, body?: unknown, key?: string | null): Promise<Answer>;
  /** Makes a bot and connects it through consent. */
  connectedBot(account?: string, bot?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** The environment of a server whose Google is the sandbox. */
export function testEnvironment(
  sandbox: Sandbox,
  databaseUrl: string,
  publicUrl: string,
): Record<string, string> {
  return {
    CALHOOK_PUBLIC_URL: publicUrl,
    CALHOOK_PORT: new URL(publicUrl).port,
    CALHOOK_DATABASE_URL: databaseUrl,
    CALHOOK_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    CALHOOK_BOOTSTRAP_API_KEY: bootstrapKey,
    CALHOOK_GOOGLE_CLIENT_ID: oauthClient.clientId,
    CALHOOK_GOOGLE_CLIENT_SECRET: oauthClient.clientSecret,
    ...googleOverrides(sandbox.endpoints),
  };
}

const redirects = new WeakMap<Sandbox, string[]>();

/** Several apps may share a sandbox, as the processes of one installation share Google. */
function registerRedirect(sandbox: Sandbox, redirectUri: string): void {
  const redirectUris = [...(redirects.get(sandbox) ?? []), redirectUri];
  redirects.set(sandbox, redirectUris);
  sandbox.addClient({ ...oauthClient, redirectUris });
}

/** Rules that leave out what a test is not about. */
export const anyTime = {
  weeklyHours: null,
  minimumNoticeMinutes: 0,
  slotStepMinutes: 5,
  horizonDays: 730,
};

/** Speaks to the server at a URL. */
export function clientOf(url: string): Pick<TestApp, 'send' | 'call'> {
  const send: TestApp['send'] = async (path, request = {}) => {
    const response = await fetch(url + path, { redirect: 'manual', ...request });
    const text = await response.text();
    const body = text.startsWith('{') ? JSON.parse(text) : {};
    return { status: response.status, body, headers: response.headers, text };
  };
  const call: TestApp['call'] = (method, path, body, key = bootstrapKey) =>
    send(path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { send, call };
}

/** Opens a test app; the clock is the sandbox's, so moving that one moves both. */
export async function openTestApp(options: TestAppOptions): Promise<TestApp> {
  const database = options.database ?? (await createTestDatabase(options.dialect));
  const sandbox = options.sandbox ?? (await startSandbox({ accounts, now: startOfTests }));
  const url = `http://127.0.0.1:${await freePorts()}`;
  registerRedirect(sandbox, `${url}/oauth/google/callback`);
  const config: Config = readConfig({
    ...testEnvironment(sandbox, database.url, url),
    ...options.environment,
  });
  const log: string[] = [];
  const app = await openApp(config, {
    log: pino({ level: 'trace', base: null }, { write: (line: string) => void log.push(line) }),
    now: () => sandbox.clock.now() + (options.clockOffsetMs ?? 0),
    retry: options.retry ?? impatient,
    refresh: options.refresh ?? impatientRefresh,
  });
  await app.http.listen({ host: '127.0.0.1', port: config.port });

  const { send, call } = clientOf(url);

  return {
    app,
    sandbox,
    database,
    url,
    log,
    send,
    call,
    async connectedBot(account = 'ada@example.com', bot = {}) {
      const id = `bot-${randomBytes(5).toString('hex')}`;
      const created = await call('POST', '/api/bots', {
        id,
        name: `Bot of ${account}`,
        timeZone: 'Europe/Berlin',
        ...anyTime,
        ...bot,
      });
      if (created.status !== 201) throw new Error(created.text);
      const link = await call('POST', `/api/calendar/connect/${id}`);
      const page = await connectAs(sandbox, String(link.body.url), { account });
      if (!page.ok) throw new Error(`consent of ${account}: ${page.status}`);
      return id;
    },
    async close() {
      await app.close();
      if (!options.sandbox) await sandbox.close();
      if (!options.database) await database.drop();
    },
  };
}
