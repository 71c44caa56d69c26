import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { freePorts } from './support/free-ports.ts';
import { refreshesAt } from './support/refreshes.ts';
import { type SpawnedServer, spawnServer } from './support/spawned-server.ts';
import { runSql } from './support/stored.ts';
import { oauthClient, unlimited } from './support/test-app.ts';

const account = 'ada@example.com';
const hour = 3_600_000;
const day = 24 * hour;

describeOnEachDatabase('a refresh shared by two processes', (dialect) => {
  const leaseMs = 3_000;
  let database: TestDatabase;
  let sandbox: Sandbox;
  let servers: SpawnedServer[];

  beforeEach(async () => {
    database = await createTestDatabase(dialect);
    sandbox = await startSandbox({ accounts: [{ email: account }], switches: unlimited });
    const port = await freePorts(2);
    const urls = [port, port + 1].map((each) => `http://127.0.0.1:${each}`);
    const redirectUris = urls.map((url) => `${url}/oauth/google/callback`);
    sandbox.addClient({ ...oauthClient, redirectUris });
    servers = [];
    for (const url of urls) servers.push(await spawnServer(url, database, sandbox, leaseMs));
  });
  afterEach(async () => {
    for (const server of servers) await server.end();
    await sandbox.close();
    await database.drop();
  });

  const call = (server: number, method: string, path: string, body?: unknown) =>
    (servers[server] as SpawnedServer).call(method, path, body);
  const expiredBot = async () => {
    await call(0, 'POST', '/api/bots', { id: 'bot-shared', name: 'Shared', weeklyHours: null });
    const link = await call(0, 'POST', '/api/calendar/connect/bot-shared');
    expect((await connectAs(sandbox, String(link.body.url), { account })).ok).toBe(true);
    // The access token is at its end, as if an hour had gone by.
    await runSql(database, 'update google_tokens set expiry_date = 0');
    sandbox.requests.clear();
  };
  const slots = Array.from({ length: 1_000 }, (_, i) => {
    const start = new Date(Date.now() + 10 * day + i * hour);
    return {
      customerName: `Customer ${i}`,
      email: `customer-${i}@example.org`,
      date: start.toISOString().slice(0, 10),
      time: `${start.toISOString().slice(11, 13)}:00`,
      timeZone: 'UTC',
    };
  });
  const create = '/api/calendar/create-event/bot-shared';

  test('is one for a thousand callers', { timeout: 120_000 }, async () => {
    await expiredBot();
    const answers = await Promise.all(slots.map((slot, i) => call(i % 2, 'POST', create, slot)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(refreshesAt(sandbox)).toHaveLength(1);
  });

  test('is one more when its process is killed in mid-call', { timeout: 120_000 }, async () => {
    await expiredBot();
    const held = sandbox.faults.add({
      route: 'token',
      times: 1,
      fault: { kind: 'hang', ms: hour },
    });
    const lost = slots
      .slice(0, 500)
      .map((slot) => call(0, 'POST', create, slot).catch(() => 'no answer'));
    await vi.waitFor(() => expect(held.hits).toBe(1), 20_000);
    const waiting = slots.slice(500).map((slot) => call(1, 'POST', create, slot));
    servers[0]?.child.kill('SIGKILL');
    expect(new Set(await Promise.all(lost))).toEqual(new Set(['no answer']));
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const [first, second, ...more] = refreshesAt(sandbox);
    expect(more).toEqual([]);
    // Not before the lease has run out, and soon after: the rest is for a busy machine.
    const betweenMs = Number(second?.at) - Number(first?.at);
    expect(betweenMs).toBeGreaterThan(leaseMs - 1_000);
    expect(betweenMs).toBeLessThan(2 * leaseMs);
  });
});
