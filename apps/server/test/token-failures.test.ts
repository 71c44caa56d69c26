import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../packages/google-sandbox/src/faults.ts';
import { refreshPolicy } from '../src/connections/refresh.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const hour = 3_600_000;
const minute = 60_000;
/** Callers of each bot while the token endpoint fails. */
const callers = 20;

/** What a failure means: for the connection, for the caller, for Google, for the operator. */
interface Outcome {
  readonly connection: 'connected' | 'needs_reauth';
  readonly status: 424 | 503;
  readonly code: string;
  /** Calls to the token endpoint, whatever the number of callers. */
  readonly calls: 1;
  readonly alarm: boolean;
}
const gone: Outcome = {
  connection: 'needs_reauth',
  status: 424,
  code: 'calendar_needs_reauth',
  calls: 1,
  alarm: false,
};
const operator: Outcome = {
  connection: 'connected',
  status: 503,
  code: 'google_client_misconfigured',
  calls: 1,
  alarm: true,
};
const passing: Outcome = {
  connection: 'connected',
  status: 503,
  code: 'calendar_unreachable',
  calls: 1,
  alarm: false,
};

const oauthError = (error: string, status = 400, more: { description?: string } = {}): Fault => ({
  kind: 'oauthError',
  error,
  status,
  ...more,
});
const answer = (status: number, body?: unknown, headers: Record<string, string> = {}): Fault => ({
  kind: 'status',
  status,
  headers,
  ...(body === undefined ? {} : { body }),
});

/** facts/google.md §1, token endpoint errors and why a refresh token dies. */
const failures: readonly [name: string, fault: Fault, outcome: Outcome][] = [
  [
    '400 invalid_grant, expired or revoked',
    oauthError('invalid_grant', 400, { description: 'Token has been expired or revoked.' }),
    gone,
  ],
  ['400 invalid_grant, Bad Request', oauthError('invalid_grant'), gone],
  [
    '400 invalid_grant with invalid_rapt',
    { kind: 'oauthError', error: 'invalid_grant', subtype: 'invalid_rapt' },
    gone,
  ],
  ['400 admin_policy_enforced', oauthError('admin_policy_enforced'), gone],
  [
    '401 invalid_client, not found',
    oauthError('invalid_client', 401, { description: 'The OAuth client was not found.' }),
    operator,
  ],
  [
    '401 invalid_client, Unauthorized',
    oauthError('invalid_client', 401, { description: 'Unauthorized' }),
    operator,
  ],
  ['401 unauthorized_client', oauthError('unauthorized_client', 401), operator],
  ['401 deleted_client', oauthError('deleted_client', 401), operator],
  ['403 org_internal', oauthError('org_internal', 403), operator],
  ['400 redirect_uri_mismatch', oauthError('redirect_uri_mismatch'), operator],
  ['400 unsupported_grant_type', oauthError('unsupported_grant_type'), operator],
  ['500 internal_failure', oauthError('internal_failure', 500), passing],
  ['400 temporarily_unavailable', oauthError('temporarily_unavailable'), passing],
  ['503 that says invalid_grant', oauthError('invalid_grant', 503), passing],
  ['400 with a word that nobody knows', oauthError('something_new'), passing],
  ['400 invalid_request', oauthError('invalid_request'), passing],
  ['400 without a word', answer(400, { message: 'no' }), passing],
  ['408', answer(408), passing],
  ['429', answer(429), passing],
  ['500', answer(500), passing],
  ['503', answer(503), passing],
  ['404 in HTML', { kind: 'html', status: 404 }, passing],
  ['500 in HTML', { kind: 'html', status: 500 }, passing],
  ['502 in HTML', { kind: 'html', status: 502 }, passing],
  ['200 in HTML', { kind: 'html', status: 200 }, passing],
  ['a redirect', answer(302, '', { location: 'https://sorry.example/' }), passing],
  ['an empty 200', answer(200, ''), passing],
  ['a 200 without a token', answer(200, { token_type: 'Bearer', expires_in: 3599 }), passing],
  ['204', answer(204, ''), passing],
  ['half an answer', { kind: 'truncated' }, passing],
  ['a reset connection', { kind: 'reset' }, passing],
  ['a lost answer', { kind: 'commitThenDrop' }, passing],
];

describeOnEachDatabase('when the token endpoint answers a refresh with', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({
      dialect,
      // Longer than any answer takes, shorter than any pause: no caller repeats anything.
      retry: { budgetMs: 8_000, firstPauseMs: 5, maxPauseMs: 20 },
      refresh: { ...refreshPolicy, firstPauseMs: 30_000 },
    });
  });
  beforeEach(() => {
    server.sandbox.faults.clear();
    // The operator is told once in ten minutes.
    server.sandbox.clock.advance(11 * minute);
  });
  afterAll(() => server.close());

  const calls = () => server.sandbox.requests.of('token').length;
  const alarms = () =>
    server.log.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
  const expiredBot = async () => {
    const botId = await server.connectedBot();
    server.sandbox.clock.advance(hour);
    server.sandbox.requests.clear();
    server.log.length = 0;
    return botId;
  };
  const status = async (botId: string) =>
    (await server.call('GET', `/api/calendar/status/${botId}`)).body;

  test.each(failures)('%s', async (_, fault, outcome) => {
    const botId = await expiredBot();
    server.sandbox.faults.add({ route: 'token', times: 1_000, fault });
    const bodies = Array.from({ length: callers }, () => bookingOf());
    const answers = await Promise.all(bodies.map((body) => book(server, botId, body)));
    // And who comes after them.
    answers.push(await book(server, botId, bookingOf()));

    for (const { status: got, body, headers, text } of answers) {
      expect([got, body.code], text).toEqual([outcome.status, outcome.code]);
      expect(headers.has('retry-after'), text).toBe(outcome.status === 503);
    }
    await expect.poll(() => calls()).toBe(outcome.calls);
    expect(server.sandbox.requests.of('events.insert')).toHaveLength(0);
    expect(await status(botId)).toMatchObject({
      connected: true,
      status: outcome.connection,
      expired: outcome.connection !== 'connected',
    });
    const kept = await runSql(
      server.database,
      `select status from appointments where client_id = '${botId}'`,
    );
    // The calendar could not be read, so nothing was promised to anybody.
    expect(kept).toEqual([]);
    expect(alarms().map(({ reason }) => typeof reason)).toEqual(outcome.alarm ? ['string'] : []);

    server.sandbox.faults.clear();
    server.sandbox.clock.advance(minute);
    const again = await book(server, botId, bodies[0]);
    expect(again.status, again.text).toBe(outcome.connection === 'connected' ? 201 : 424);
  });

  test('nothing, is not asked again by those who cannot wait any longer', async () => {
    const { database, sandbox } = server;
    const retry = { budgetMs: 1_000, firstPauseMs: 5, maxPauseMs: 20 };
    const hurried = await openTestApp({ dialect, database, sandbox, retry });
    const botId = await expiredBot();
    sandbox.faults.add({ route: 'token', times: 1_000, fault: { kind: 'hang', ms: 30_000 } });
    const body = bookingOf();
    const answers = await Promise.all(
      Array.from({ length: callers }, () => book(hurried, botId, bookingOf())),
    );
    answers.push(await book(hurried, botId, body));
    for (const late of answers) {
      expect(late).toMatchObject({ status: 503, body: { code: 'calendar_unreachable' } });
    }
    expect(calls()).toBe(1);
    expect(await status(botId)).toMatchObject({ status: 'connected', expired: false });
    // It goes on without them, and serves who comes next.
    sandbox.clock.advance(30_000);
    await expect.poll(async () => (await book(hurried, botId, body)).status).toBe(201);
    expect(calls()).toBe(1);
    await hurried.close();
  });

  test('429 and Retry-After, waits as long as that', async () => {
    const botId = await expiredBot();
    const fault = answer(429, undefined, { 'retry-after': '120' });
    server.sandbox.faults.add({ route: 'token', fault });
    const body = bookingOf();
    const limited = await book(server, botId, body);
    expect(limited).toMatchObject({ status: 503, body: { code: 'calendar_unreachable' } });
    expect(limited.headers.get('retry-after')).toBe('120');
    server.sandbox.clock.advance(100_000);
    expect((await book(server, botId, body)).status).toBe(503);
    expect(calls()).toBe(1);
    server.sandbox.clock.advance(20_000);
    expect((await book(server, botId, body)).status).toBe(201);
    expect(calls()).toBe(2);
  });

  test('a Retry-After of a year, waits ten minutes', async () => {
    const botId = await expiredBot();
    const fault = answer(503, undefined, { 'retry-after': String(365 * 86_400) });
    server.sandbox.faults.add({ route: 'token', fault });
    const body = bookingOf();
    expect((await book(server, botId, body)).headers.get('retry-after')).toBe('600');
    server.sandbox.clock.advance(10 * minute);
    expect((await book(server, botId, body)).status).toBe(201);
  });
});
