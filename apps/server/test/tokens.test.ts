import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { refreshesAt } from './support/refreshes.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const account = 'ada@example.com';
const minute = 60_000;
/** An access token lives this long. */
const lifetime = 3_599_000;

describeOnEachDatabase('tokens', (dialect) => {
  let server: TestApp;
  /** On the same database, for callers who wait as long as a busy machine needs. */
  let patient: TestApp;
  let botId: string;
  beforeAll(async () => {
    const retry = { budgetMs: 1_000, firstPauseMs: 5, maxPauseMs: 20 };
    server = await openTestApp({ dialect, retry });
    const { database, sandbox } = server;
    patient = await openTestApp({
      dialect,
      database,
      sandbox,
      retry: { ...retry, budgetMs: 8_000 },
    });
  });
  beforeEach(async () => {
    server.sandbox.faults.clear();
    botId = await server.connectedBot(account);
    server.sandbox.requests.clear();
  });
  afterAll(async () => {
    await patient.close();
    await server.close();
  });

  const refreshes = () =>
    refreshesAt(server.sandbox).map(({ body }) => body as Record<string, string>);
  const bearers = () =>
    server.sandbox.requests.of('events.insert').map(({ headers }) => headers.authorization);
  const newestAccessToken = () =>
    server.sandbox.issuedSecrets().findLast((secret) => secret.startsWith('ya29.'));
  const status = async (id = botId) =>
    (await server.call('GET', `/api/calendar/status/${id}`)).body;
  const reconnect = async (id = botId) => {
    const link = await server.call('POST', `/api/calendar/connect/${id}`);
    const page = await connectAs(server.sandbox, String(link.body.url), { account });
    expect(page.status).toBe(200);
  };

  test('are refreshed before use when five minutes are left, and not before', async () => {
    server.sandbox.clock.advance(lifetime - 6 * minute);
    expect((await book(server, botId, bookingOf())).status).toBe(201);
    expect(refreshes()).toHaveLength(0);
    server.sandbox.clock.advance(minute);
    // While the token lives nobody waits for the refresh.
    expect((await book(server, botId, bookingOf())).status).toBe(201);
    await expect.poll(() => refreshes()).toHaveLength(1);
    await vi.waitFor(async () => {
      expect((await book(server, botId, bookingOf())).status).toBe(201);
      expect(bearers().at(-1)).toBe(`Bearer ${newestAccessToken()}`);
    }, 20_000);
    expect(refreshes()).toHaveLength(1);
    expect(bearers().at(-1)).toBe(`Bearer ${newestAccessToken()}`);
  });

  test('of a refresh are kept, with the refresh token that Google did not send again', async () => {
    for (let hours = 0; hours < 3; hours++) {
      server.sandbox.clock.advance(lifetime);
      expect((await book(server, botId, bookingOf())).status).toBe(201);
    }
    const sent = refreshes().map(({ refresh_token }) => refresh_token);
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  test('are replaced by a refresh token that Google does send', async () => {
    server.sandbox.clock.advance(lifetime);
    server.sandbox.faults.add({
      route: 'token',
      fault: {
        kind: 'status',
        status: 200,
        body: {
          access_token: 'ya29.unknown',
          refresh_token: '1//rotated',
          expires_in: 3599,
          token_type: 'Bearer',
        },
      },
    });
    await book(server, botId, bookingOf());
    expect(refreshes().map(({ refresh_token }) => refresh_token)).toEqual([
      expect.stringMatching(/^1\/\/0/),
      '1//rotated',
    ]);
  });

  test('are refreshed once for all callers at the same time', async () => {
    server.sandbox.clock.advance(lifetime);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => book(patient, botId, bookingOf())),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    expect(refreshes()).toHaveLength(1);
  });

  test('that Google rejects before their hour are refreshed once for all callers', async () => {
    // Here it seems to live for a day, at Google its hour is over.
    const day = 24 * 60 * minute;
    await runSql(
      server.database,
      `update google_tokens set expiry_date = expiry_date + ${day} where client_id = '${botId}'`,
    );
    server.sandbox.clock.advance(lifetime + 1_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => book(patient, botId, bookingOf())),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    expect(refreshes()).toHaveLength(1);
    // The look at the calendar, which they share, found it out; none inserted with the old one.
    expect(bearers()).toHaveLength(20);
  });

  test.each([
    ['answers 503', 'calendar_unreachable', { kind: 'status', status: 503 } as const],
    ['answers in HTML', 'calendar_unreachable', { kind: 'html', status: 502 } as const],
    ['resets connections', 'calendar_unreachable', { kind: 'reset' } as const],
    ['answers half', 'calendar_unreachable', { kind: 'truncated' } as const],
    ['never answers', 'calendar_unreachable', { kind: 'hang', ms: 3 * minute } as const],
    [
      'rejects the client',
      'google_client_misconfigured',
      { kind: 'oauthError', error: 'invalid_client', status: 401 } as const,
    ],
  ])('are used while they live when the token endpoint %s', async (_, code, fault) => {
    server.sandbox.clock.advance(lifetime - 2 * minute);
    server.sandbox.faults.add({ route: 'token', times: 1_000, fault });
    expect((await book(server, botId, bookingOf())).status).toBe(201);
    await expect.poll(() => refreshes().length).toBeGreaterThan(0);
    server.sandbox.clock.advance(2 * minute);
    const body = bookingOf();
    const down = await book(server, botId, body);
    expect(down).toMatchObject({ status: 503, body: { code } });
    expect(down.headers.get('retry-after')).toBe('5');
    expect(await status()).toMatchObject({ connected: true, expired: false });
    server.sandbox.faults.clear();
    server.sandbox.clock.advance(minute);
    expect(await book(patient, botId, body)).toMatchObject({
      status: 201,
      body: { status: 'confirmed' },
    });
  });

  test('that Google no longer honours end the connection until it is made again', async () => {
    server.sandbox.revokeGrants(account);
    server.sandbox.clock.advance(lifetime);
    const refused = await book(server, botId, bookingOf());
    expect(refused).toMatchObject({ status: 424, body: { code: 'calendar_needs_reauth' } });
    expect(await status()).toMatchObject({
      connected: true,
      expired: true,
      status: 'needs_reauth',
      reason: 'invalid_grant',
      account,
      since: expect.any(Number),
    });
    server.sandbox.requests.clear();
    const again = await book(server, botId, bookingOf());
    expect(again).toMatchObject({ status: 424, body: { code: 'calendar_needs_reauth' } });
    expect(server.sandbox.requests).toHaveLength(0);
    await reconnect();
    expect(await status()).toMatchObject({ expired: false, status: 'connected', reason: null });
    expect((await book(server, botId, bookingOf())).status).toBe(201);
  });

  test('that were revoked before their hour are found out by the booking', async () => {
    server.sandbox.revokeGrants(account);
    const refused = await book(server, botId, bookingOf());
    expect(refused).toMatchObject({ status: 424, body: { code: 'calendar_needs_reauth' } });
    expect(await status()).toMatchObject({ status: 'needs_reauth', reason: 'invalid_grant' });
  });

  test.each([
    ['admin_policy_enforced', 400, 424, 'calendar_needs_reauth', 'needs_reauth'],
    ['invalid_client', 401, 503, 'google_client_misconfigured', 'connected'],
    ['unauthorized_client', 401, 503, 'google_client_misconfigured', 'connected'],
    ['deleted_client', 401, 503, 'google_client_misconfigured', 'connected'],
    ['temporarily_unavailable', 400, 503, 'calendar_unreachable', 'connected'],
  ])('refused with %s', async (error, httpStatus, expected, code, connection) => {
    server.sandbox.clock.advance(lifetime);
    const fault = { kind: 'oauthError', error, status: httpStatus } as const;
    server.sandbox.faults.add({ route: 'token', times: 1_000, fault });
    const answer = await book(server, botId, bookingOf());
    expect(answer).toMatchObject({ status: expected, body: { code } });
    expect((await status()).status).toBe(connection);
  });

  test('of a reconnect win over a refresh that was under way', async () => {
    server.sandbox.clock.advance(lifetime);
    const hung = server.sandbox.faults.add({ route: 'token', fault: { kind: 'hang', ms: minute } });
    const booking = book(patient, botId, bookingOf());
    await expect.poll(() => hung.hits).toBe(1);
    await reconnect();
    const ofReconnect = newestAccessToken();
    server.sandbox.clock.advance(minute);
    expect((await booking).status).toBe(201);
    expect(newestAccessToken()).not.toBe(ofReconnect);
    expect(bearers()).toEqual([`Bearer ${ofReconnect}`]);
  });

  test('of the newest grant of an account serve all its bots', async () => {
    const other = await server.connectedBot(account);
    const newest = newestAccessToken();
    server.sandbox.requests.clear();
    for (const bot of [botId, other]) {
      expect((await book(server, bot, bookingOf())).status).toBe(201);
    }
    expect(bearers()).toEqual([`Bearer ${newest}`, `Bearer ${newest}`]);
    const rows = await runSql(
      server.database,
      `select access_token from google_tokens where client_id in ('${botId}', '${other}')`,
    );
    expect(new Set(rows.map((row) => row.access_token)).size).toBe(2);
  });

  test('are revoked at Google with the last bot of the account, and only then', async () => {
    const grace = 'grace@example.com';
    const first = await server.connectedBot(grace);
    const last = await server.connectedBot(grace);
    server.sandbox.requests.clear();
    const disconnect = (id: string) => server.call('POST', `/api/calendar/disconnect/${id}`);
    expect(await disconnect(first)).toMatchObject({
      status: 200,
      body: { success: true, connected: false },
    });
    expect(server.sandbox.requests.of('revoke')).toHaveLength(0);
    expect((await book(server, last, bookingOf())).status).toBe(201);
    await disconnect(last);
    expect(server.sandbox.requests.of('revoke')).toHaveLength(1);
    expect(server.sandbox.revokeGrants(grace)).toBe(0);
    for (const id of [first, last]) {
      expect(await status(id)).toMatchObject({ connected: false, status: 'not_connected' });
    }
    expect((await disconnect(last)).status).toBe(200);
    expect(server.sandbox.requests.of('revoke')).toHaveLength(1);
  });

  test('are revoked when their bot is deleted', async () => {
    const bot = await server.connectedBot('grace@example.com');
    server.sandbox.requests.clear();
    expect((await server.call('DELETE', `/api/bots/${bot}`)).status).toBe(204);
    expect(server.sandbox.requests.of('revoke')).toHaveLength(1);
    const rows = await runSql(
      server.database,
      `select * from google_tokens where client_id = '${bot}'`,
    );
    expect(rows).toEqual([]);
  });

  test.each([
    ['knows the token no more', { kind: 'oauthError', error: 'invalid_token' } as const],
    ['is down', { kind: 'html', status: 503 } as const],
    ['resets connections', { kind: 'reset' } as const],
  ])('are forgotten although Google %s', async (_, fault) => {
    const bot = await server.connectedBot('grace@example.com');
    const body = bookingOf();
    const booked = await book(patient, bot, body);
    const kept = await server.call('GET', `/api/calendar/appointments/${bot}`);
    expect(kept.body.appointments).toHaveLength(1);
    server.log.length = 0;
    server.sandbox.faults.add({ route: 'revoke', times: 10, fault });
    const answer = await server.call('POST', `/api/calendar/disconnect/${bot}`);
    expect(answer).toMatchObject({ status: 200, body: { success: true, connected: false } });
    expect(await status(bot)).toMatchObject({ connected: false, expired: false });
    // No tokens are left, sealed or not; that a grant is known no more is no failure.
    const rows = await runSql(
      server.database,
      `select * from google_tokens where client_id = '${bot}'`,
    );
    expect(rows).toEqual([]);
    expect(server.sandbox.requests.of('revoke')).toHaveLength(1);
    const warned = server.log.filter((line) => line.includes('could not be revoked'));
    expect(warned).toHaveLength('error' in fault ? 0 : 1);
    // The appointments stay, and are the bot's again when it is connected again.
    const same = async () => (await server.call('GET', `/api/calendar/appointments/${bot}`)).text;
    expect(await same()).toBe(kept.text);
    server.sandbox.faults.clear();
    const link = await server.call('POST', `/api/calendar/connect/${bot}`);
    const again = { account: 'grace@example.com' };
    expect((await connectAs(server.sandbox, String(link.body.url), again)).status).toBe(200);
    expect(await same()).toBe(kept.text);
    expect(await book(patient, bot, body)).toMatchObject({
      status: 200,
      body: { replayed: true, eventId: booked.body.eventId },
    });
    await server.call('POST', `/api/calendar/disconnect/${bot}`);
  });

  test('never slow the status down: it asks Google nothing', async () => {
    await server.call('POST', '/api/bots', { id: `bot-fresh-${dialect}`, name: 'Fresh' });
    server.sandbox.requests.clear();
    server.sandbox.clock.advance(lifetime);
    expect(await status()).toEqual({
      connected: true,
      expired: false,
      status: 'connected',
      account,
      calendarId: 'primary',
      reason: null,
      reconnectUrl: null,
      since: expect.any(Number),
      expiresAt: null,
    });
    expect(await status(`bot-fresh-${dialect}`)).toEqual({
      connected: false,
      expired: false,
      status: 'not_connected',
      account: null,
      calendarId: null,
      reason: null,
      reconnectUrl: null,
      since: null,
      expiresAt: null,
    });
    expect(server.sandbox.requests).toHaveLength(0);
  });
});
