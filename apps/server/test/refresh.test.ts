import { startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { refreshPolicy } from '../src/connections/refresh.ts';
import { connectAs } from '../src/demo/connect-as.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { refreshesAt } from './support/refreshes.ts';
import { runSql } from './support/stored.ts';
import { oauthClient, openTestApp, type TestApp, unlimited } from './support/test-app.ts';

const account = 'ada@example.com';
const hour = 3_600_000;
const day = 24 * hour;

/** For callers who wait as long as a busy machine needs. */
const patience = { budgetMs: 8_000, firstPauseMs: 5, maxPauseMs: 20 };
/** Callers on a grant that gives no token. */
const callers = process.env.CALHOOK_LONG ? 60_000 : 2_000;

describeOnEachDatabase('refreshes', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(() => {
    server.sandbox.faults.clear();
    server.sandbox.requests.clear();
  });
  afterAll(() => server.close());

  const stored = async (botId: string) => {
    const [row] = await runSql(
      server.database,
      `select * from google_tokens where client_id = '${botId}'`,
    );
    return row ?? {};
  };
  const activityOf = async (botId: string) =>
    (
      await runSql(
        server.database,
        `select kind from activity where client_id = '${botId}' and kind like 'connection.%' order by id`,
      )
    ).map(({ kind }) => kind);
  const reconnect = async (botId: string, as = account) => {
    const link = await server.call('POST', `/api/calendar/connect/${botId}`);
    expect((await connectAs(server.sandbox, String(link.body.url), { account: as })).ok).toBe(true);
  };

  test.each([
    ['a dead grant', { kind: 'oauthError', error: 'invalid_grant' } as const, 424, 1],
    ['a token endpoint that is down', { kind: 'html', status: 503 } as const, 503, 10],
    [
      'a rejected client',
      { kind: 'oauthError', error: 'invalid_client', status: 401 } as const,
      503,
      10,
    ],
  ])(
    'of %s are a handful for many callers',
    { timeout: 600_000 },
    async (_, fault, status, most) => {
      const { database, sandbox } = server;
      // Backs off as in production.
      const patient = await openTestApp({
        dialect,
        database,
        sandbox,
        retry: patience,
        refresh: refreshPolicy,
      });
      const botId = await patient.connectedBot();
      sandbox.clock.advance(hour);
      sandbox.faults.add({ route: 'token', times: 100_000, fault });
      sandbox.requests.clear();
      const body = bookingOf();
      const wave = 500;
      for (let asked = 0; asked < callers; asked += wave) {
        const answers = await Promise.all(
          Array.from({ length: wave }, () => book(patient, botId, body)),
        );
        expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([status]));
      }
      expect(refreshesAt(sandbox).length).toBeLessThanOrEqual(most);
      await patient.close();
    },
  );

  test('that failed wait longer each time, for every process, until one succeeds', async () => {
    const patient = { leaseMs: 30_000, firstPauseMs: 10_000, maxPauseMs: 60_000 };
    const { database, sandbox } = server;
    const first = await openTestApp({ dialect, database, sandbox, refresh: patient });
    const second = await openTestApp({ dialect, database, sandbox, refresh: patient });
    const botId = await first.connectedBot();
    sandbox.clock.advance(hour);
    sandbox.faults.add({ route: 'token', times: 4, fault: { kind: 'status', status: 503 } });
    sandbox.requests.clear();
    const body = bookingOf();
    const pauses: number[] = [];
    for (let failures = 1; failures <= 4; failures++) {
      const down = await book(first, botId, body);
      expect(down).toMatchObject({ status: 503, body: { code: 'calendar_unreachable' } });
      pauses.push(Number(down.headers.get('retry-after')));
      // The other process knows, and leaves Google alone.
      expect((await book(second, botId, body)).status).toBe(503);
      expect(refreshesAt(sandbox)).toHaveLength(failures);
      expect(await stored(botId)).toMatchObject({ refresh_failures: failures, lease_owner: null });
      sandbox.clock.advance(60_000);
    }
    for (const [i, ceiling] of [10, 20, 40, 60].entries()) {
      expect(pauses[i]).toBeGreaterThanOrEqual(ceiling / 2);
      expect(pauses[i]).toBeLessThanOrEqual(ceiling);
    }
    expect((await book(second, botId, body)).status).toBe(201);
    expect(await stored(botId)).toMatchObject({
      refresh_failures: 0,
      refresh_failure: null,
      refresh_not_before: null,
    });
    await first.close();
    await second.close();
  });

  test('that a lost process began are taken over when its lease has run out', async () => {
    const botId = await server.connectedBot();
    server.sandbox.clock.advance(hour);
    await runSql(
      server.database,
      `update google_tokens set lease_owner = 'gone', lease_until = ${server.sandbox.clock.now() + 30_000} where client_id = '${botId}'`,
    );
    server.sandbox.requests.clear();
    const body = bookingOf();
    expect((await book(server, botId, body)).status).toBe(503);
    expect(refreshesAt(server.sandbox)).toHaveLength(0);
    server.sandbox.clock.advance(30_000);
    const { database, sandbox } = server;
    const patient = await openTestApp({ dialect, database, sandbox, retry: patience });
    expect((await book(patient, botId, body)).status).toBe(201);
    expect(refreshesAt(sandbox)).toHaveLength(1);
    await patient.close();
  });

  test('tell the operator once that the client is rejected, and touch no bot', async () => {
    const fault = { kind: 'oauthError', error: 'invalid_client', status: 401 } as const;
    const bots = [await server.connectedBot(), await server.connectedBot('grace@example.com')];
    server.sandbox.clock.advance(hour);
    server.sandbox.faults.add({ route: 'token', times: 100, fault });
    server.log.length = 0;
    for (const bot of bots) await book(server, bot, bookingOf());
    const alarms = server.log.filter((line) => JSON.parse(line).level >= 50);
    expect(alarms).toHaveLength(1);
    expect(alarms[0]).toContain('invalid_client');
    for (const bot of bots) expect(await stored(bot)).toMatchObject({ status: 'connected' });
  });

  test('keep alive the grants that nobody uses, and leave the used ones alone', async () => {
    const idle = await server.connectedBot();
    server.sandbox.clock.advance(20 * day);
    const used = await server.connectedBot('grace@example.com');
    server.sandbox.clock.advance(11 * day);
    server.sandbox.requests.clear();
    const { database, sandbox } = server;
    const second = await openTestApp({ dialect, database, sandbox });
    await Promise.all([server.app.care.pass(), second.app.care.pass()]);
    await second.close();
    const idles = await runSql(
      database,
      `select count(*) as n from google_tokens where refreshed_at > ${sandbox.clock.now() - hour}`,
    );
    expect(refreshesAt(sandbox)).toHaveLength(Number(idles[0]?.n));
    const before = await stored(idle);
    expect(Number(before.refreshed_at)).toBeGreaterThan(server.sandbox.clock.now() - hour);
    expect(Number((await stored(used)).refreshed_at)).toBeLessThan(
      server.sandbox.clock.now() - 10 * day,
    );
    server.sandbox.requests.clear();
    await server.app.care.pass();
    expect(refreshesAt(server.sandbox)).toHaveLength(0);
    for (let months = 0; months < 8; months++) {
      server.sandbox.clock.advance(31 * day);
      await server.app.care.pass();
    }
    expect((await book(server, idle, bookingOf({ date: '2028-03-01' }))).status).toBe(201);
  });

  test('keep alive all that are idle in one pass, past one that cannot be opened', async () => {
    const bots = [await server.connectedBot(), await server.connectedBot()];
    const broken = `bot-broken-${dialect}`;
    await server.call('POST', '/api/bots', { id: broken, name: 'Broken' });
    server.sandbox.clock.advance(31 * day);
    const now = server.sandbox.clock.now();
    // A hundred rows that no key opens are the longest idle of all.
    const columns = (await stored(bots[0] ?? '')) as Record<string, unknown>;
    const names = Object.keys(columns).filter(
      (name) => !['client_id', 'refreshed_at'].includes(name),
    );
    for (let i = 0; i < 100; i++) {
      const id = `${broken}-${i}`;
      await server.call('POST', '/api/bots', { id, name: 'Broken' });
    }
    await runSql(
      server.database,
      `insert into google_tokens (client_id, refreshed_at, ${names})
       select id, 1, ${names.map((name) => `google_tokens.${name}`)} from bots, google_tokens
       where google_tokens.client_id = '${bots[0]}' and id like '${broken}-%'`,
    );
    server.sandbox.requests.clear();
    server.log.length = 0;
    await server.app.care.pass();
    for (const bot of bots) {
      expect(Number((await stored(bot)).refreshed_at)).toBeGreaterThanOrEqual(now);
    }
    const unopened = server.log.filter((line) => line.includes('could not be kept alive'));
    expect(unopened).toHaveLength(100);
    await runSql(server.database, `delete from google_tokens where client_id like '${broken}-%'`);
  });

  test('that end a connection, and a consent that mends it, are recorded on transitions only', async () => {
    const botId = await server.connectedBot();
    const other = await server.connectedBot();
    await reconnect(botId);
    expect(await activityOf(botId)).toEqual(['connection.connected']);
    server.sandbox.revokeGrants(account);
    // At the same moment, at two servers, and again.
    const { database, sandbox } = server;
    const second = await openTestApp({ dialect, database, sandbox });
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => book(i % 2 ? server : second, botId, bookingOf())),
    );
    await second.close();
    for (let i = 0; i < 3; i++) await book(server, botId, bookingOf());
    expect(await activityOf(botId)).toEqual(['connection.connected', 'connection.needs_reauth']);
    await reconnect(other);
    expect(await activityOf(botId)).toEqual([
      'connection.connected',
      'connection.needs_reauth',
      'connection.recovered',
    ]);
    expect(await activityOf(other)).toEqual(['connection.connected']);
    await server.call('POST', `/api/calendar/disconnect/${botId}`);
    await server.call('POST', `/api/calendar/disconnect/${botId}`);
    expect((await activityOf(botId)).slice(3)).toEqual(['connection.disconnected']);
  });
});

describeOnEachDatabase('one Google account with more bots than it may have grants', (dialect) => {
  test('books for all of them, before and after their tokens end', {
    timeout: 120_000,
  }, async () => {
    const sandbox = await startSandbox({
      accounts: [{ email: account }],
      now: Date.parse('2026-01-12T08:00:00Z'),
      switches: unlimited,
    });
    const server = await openTestApp({ dialect, sandbox, retry: patience });
    const bots: string[] = [];
    for (let i = 0; i < 101; i++) bots.push(await server.connectedBot());
    for (let hours = 0; hours < 2; hours++) {
      const answers = await Promise.all(bots.map((bot) => book(server, bot, bookingOf())));
      expect(answers.map(({ status }) => status)).toEqual(Array(101).fill(201));
      sandbox.clock.advance(hour);
    }
    expect(refreshesAt(sandbox)).toHaveLength(101);
    await server.close();
    await sandbox.close();
  });
});

describeOnEachDatabase('a grant that Google ends after seven days', (dialect) => {
  test('is announced once, at least a day and at most two before', async () => {
    const sandbox = await startSandbox({
      accounts: [{ email: account }],
      now: Date.parse('2026-01-12T08:00:00Z'),
      switches: { sendRefreshTokenExpiresIn: true },
    });
    const server = await openTestApp({ dialect, sandbox });
    sandbox.addClient({
      ...oauthClient,
      redirectUris: [`${server.url}/oauth/google/callback`],
      publishingStatus: 'testing',
    });
    const botId = await server.connectedBot();
    const connectedAt = sandbox.clock.now();
    const status = (await server.call('GET', `/api/calendar/status/${botId}`)).body;
    const expiresAt = Number(status.expiresAt);
    expect(Math.abs(expiresAt - connectedAt - 7 * day)).toBeLessThan(60_000);
    const announced = () =>
      runSql(server.database, "select at, detail from activity where kind = 'connection.expiring'");
    for (let hours = 0; hours < 6 * 24; hours++) {
      await server.app.care.pass();
      sandbox.clock.advance(hour);
    }
    const [activity, ...more] = await announced();
    expect(more).toEqual([]);
    const aheadMs = expiresAt - Number(activity?.at);
    expect(aheadMs).toBeGreaterThanOrEqual(day);
    expect(aheadMs).toBeLessThanOrEqual(2 * day);
    expect(JSON.parse(String(activity?.detail))).toEqual({ expiresAt });
    await server.close();
    await sandbox.close();
  });
});
