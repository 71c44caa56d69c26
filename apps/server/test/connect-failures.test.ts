import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../packages/google-sandbox/src/faults.ts';
import { followCallback, openConsent, startConsent } from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { expectPage } from './support/pages.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const minute = 60_000;
const calendarScope = 'calendar.events';

/** What goes wrong between the consent page and the end. */
interface Failure {
  /** What Google, or somebody in between, does to the redirect; default: nothing. */
  readonly choice?: { decision?: 'deny'; untick?: string[] };
  readonly consentUrl?: (url: URL) => void;
  readonly callback?: (url: URL) => void;
  readonly cookie?: (cookie: string | null) => string | null;
  readonly waitMs?: number;
  readonly fault?: { route: string; fault: Fault };
  readonly status: number;
  readonly says: readonly (string | RegExp)[];
  /** Whether the page offers the same link again. */
  readonly again: boolean;
  /** Whether the operator is told; default: no. */
  readonly alarm?: boolean;
}
const down = (route: string): Pick<Failure, 'fault' | 'status' | 'says' | 'again'> => ({
  fault: { route, fault: { kind: 'html', status: 503 } },
  status: 503,
  says: ['Google did not answer', 'try again in a minute'],
  again: true,
});
const failures: readonly [string, Failure][] = [
  [
    'the owner says no',
    {
      choice: { decision: 'deny' },
      status: 400,
      says: ['not allowed', 'try again'],
      again: true,
    },
  ],
  [
    'Google sends an error',
    {
      callback: ({ searchParams }) => {
        searchParams.delete('code');
        searchParams.set('error', '<script>alert(1)</script>');
        searchParams.set('error_description', '<b>hello</b>');
      },
      status: 502,
      says: ['Google could not finish'],
      again: true,
    },
  ],
  [
    'there is neither code nor error',
    {
      callback: ({ searchParams }) => searchParams.delete('code'),
      status: 502,
      says: ['could not finish'],
      again: true,
    },
  ],
  [
    'the state is unknown',
    {
      callback: ({ searchParams }) => searchParams.set('state', '<i>x</i>'),
      status: 400,
      says: ['took too long', 'start again'],
      again: true,
    },
  ],
  [
    'the state is missing',
    {
      callback: ({ searchParams }) => searchParams.delete('state'),
      status: 400,
      says: ['took too long'],
      again: true,
    },
  ],
  [
    'ten minutes pass',
    {
      waitMs: 10 * minute,
      status: 400,
      says: ['took too long', 'older than ten minutes'],
      again: true,
    },
  ],
  [
    'the cookie is missing',
    {
      cookie: () => null,
      status: 400,
      says: ['finish where you started', 'allow cookies'],
      again: false,
    },
  ],
  [
    'the cookie is another browser’s',
    {
      cookie: () => `calhook_consent=${'x'.repeat(43)}.${'y'.repeat(43)}`,
      status: 400,
      says: ['finish where you started'],
      again: false,
    },
  ],
  [
    'the calendar box is not ticked',
    {
      choice: { untick: [calendarScope] },
      status: 400,
      says: ['box was not ticked', 'leave the box ticked'],
      again: true,
    },
  ],
  [
    'Google sends no refresh token',
    {
      consentUrl: ({ searchParams }) => searchParams.set('access_type', 'online'),
      status: 502,
      says: ['one hour only', 'myaccount.google.com/connections'],
      again: true,
    },
  ],
  [
    'the code is another one',
    {
      callback: ({ searchParams }) => searchParams.set('code', '4/0Aother'),
      status: 502,
      says: ['did not accept', 'try again'],
      again: true,
    },
  ],
  [
    'the answer names another issuer',
    {
      callback: ({ searchParams }) => searchParams.set('iss', 'https://evil.example'),
      status: 502,
      says: ['did not accept'],
      again: true,
    },
  ],
  [
    'the state comes twice',
    {
      callback: ({ searchParams }) => searchParams.append('state', 'x'),
      status: 502,
      says: ['did not accept'],
      again: true,
    },
  ],
  ['the token endpoint is down', down('token')],
  ['userinfo is down', down('userinfo')],
  ['the calendar is down', down('events.list')],
  [
    'the token endpoint resets',
    { ...down('token'), fault: { route: 'token', fault: { kind: 'reset' } } },
  ],
  [
    'the token answer is cut',
    { ...down('token'), fault: { route: 'token', fault: { kind: 'truncated' } } },
  ],
  [
    'Google does not know this client',
    {
      fault: {
        route: 'token',
        fault: { kind: 'oauthError', error: 'invalid_client', status: 401 },
      },
      status: 503,
      says: ['not set up correctly', 'not your fault'],
      again: false,
      alarm: true,
    },
  ],
  [
    'Google does not know the redirect URI',
    {
      fault: { route: 'token', fault: { kind: 'oauthError', error: 'redirect_uri_mismatch' } },
      status: 503,
      says: ['not set up correctly'],
      again: false,
      alarm: true,
    },
  ],
  [
    'the Calendar API is not enabled',
    {
      fault: { route: 'events.list', fault: { kind: 'apiError', name: 'accessNotConfigured' } },
      status: 503,
      says: ['not set up correctly'],
      again: false,
      alarm: true,
    },
  ],
];

describeOnEachDatabase('connecting a calendar', (dialect) => {
  let server: TestApp;
  let botId: string;
  let bots = 0;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(async () => {
    server.sandbox.faults.clear();
    // The operator is told once in ten minutes.
    server.sandbox.clock.advance(11 * minute);
    server.log.length = 0;
    botId = `bot-${++bots}`;
    await server.call('POST', '/api/bots', { id: botId, name: 'Ada’s Workshop' });
  });
  afterAll(() => server.close());

  const rows = (table: string) =>
    runSql(server.database, `select * from ${table} where client_id = '${botId}'`);
  const consent = (url: string, choice: Failure['choice'] = {}) =>
    server.sandbox.consent(url, { account: 'ada@example.com', ...choice });
  const expectNothingStored = async () => {
    const { body } = await server.call('GET', `/api/calendar/status/${botId}`);
    expect(body).toMatchObject({ connected: false, status: 'not_connected' });
    expect(await rows('google_tokens')).toEqual([]);
  };

  test.each(failures)('ends on a page that says so when %s', async (_, failure) => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const asked = new URL(consentUrl);
    failure.consentUrl?.(asked);
    const callback = new URL(await consent(asked.href, failure.choice ?? {}));
    failure.callback?.(callback);
    if (failure.waitMs) server.sandbox.clock.advance(failure.waitMs);
    if (failure.fault) server.sandbox.faults.add(failure.fault);
    const visitor = { cookie: (failure.cookie ?? ((cookie) => cookie))(browser.cookie) };
    const page = await followCallback(server, visitor, callback.href);
    expectPage(page, failure.status, ...failure.says, /Nothing was connected/);
    expect(page.text).not.toMatch(/<b>|<i>|4\/0A/);
    if (failure.again) expect(page.text).toContain(`href="${server.url}${link}">Try again`);
    else expect(page.text).not.toContain('Try again');
    const alarms = server.log.filter((line) => JSON.parse(line).level >= 50);
    expect(alarms).toHaveLength(failure.alarm ? 1 : 0);
    await expectNothingStored();
    expect(await rows('connect_links')).toHaveLength(1);
    if (!failure.again) return;
    server.sandbox.faults.clear();
    const restart = await startConsent(server, browser, link);
    const redirect = await consent(restart.headers.get('location') ?? '');
    expectPage(await followCallback(server, browser, redirect), 200);
  });
});
