import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import {
  type Browser,
  connectLink,
  followCallback,
  openConsent,
  startConsent,
} from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { expectPage } from './support/pages.ts';
import { runSql } from './support/stored.ts';
import { anyTime, openTestApp, type TestApp } from './support/test-app.ts';

const account = 'ada@example.com';
const minute = 60_000;
const calendarScope = 'calendar.events';

describeOnEachDatabase('connecting a calendar', (dialect) => {
  let server: TestApp;
  let botId: string;
  let bots = 0;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(async () => {
    server.sandbox.faults.clear();
    botId = `bot-${++bots}`;
    await server.call('POST', '/api/bots', {
      id: botId,
      name: 'Ada’s Workshop',
      timeZone: 'Europe/Berlin',
      ...anyTime,
    });
    server.sandbox.requests.clear();
  });
  afterAll(() => server.close());

  const status = async (id = botId) =>
    (await server.call('GET', `/api/calendar/status/${id}`)).body;
  const rows = (table: string) =>
    runSql(server.database, `select * from ${table} where client_id = '${botId}'`);
  const consent = (url: string, choice: { decision?: 'allow' | 'deny'; untick?: string[] } = {}) =>
    server.sandbox.consent(url, { account, ...choice });
  const expectNothingStored = async () => {
    expect(await status()).toMatchObject({ connected: false, status: 'not_connected' });
    expect(await rows('google_tokens')).toEqual([]);
  };

  test('goes from the link over Google to a page that names bot and account', async () => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const asked = new URL(consentUrl).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent select_account',
      scope: 'openid email https://www.googleapis.com/auth/calendar.events',
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${server.url}/oauth/google/callback`,
    });
    expect(asked.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    const page = await followCallback(server, browser, await consent(consentUrl));
    expectPage(page, 200, 'Your calendar is connected', 'Ada’s Workshop', account);
    expect(browser.cookie).toMatch(/^calhook_consent=$/);
    expect(await status()).toMatchObject({ connected: true, expired: false, account });
    expect(await rows('connect_links')).toEqual([]);
    expect(await rows('oauth_states')).toEqual([]);
    expectPage(await server.send(link), 410, 'no longer valid');
    expect((await book(server, botId, bookingOf())).status).toBe(201);
  });

  test('begins on a page that names the bot; looking at it changes nothing', async () => {
    const link = await connectLink(server, botId);
    const before = [await rows('connect_links'), await rows('oauth_states')];
    for (let visit = 0; visit < 3; visit++) {
      const page = await server.send(link);
      expectPage(page, 200, 'Connect your calendar to Ada’s Workshop', '<form method="post">');
      expect(page.headers.getSetCookie()).toEqual([]);
      const head = await server.send(link, { method: 'HEAD' });
      expect(head).toMatchObject({ status: 200, text: '' });
    }
    expect([await rows('connect_links'), await rows('oauth_states')]).toEqual(before);
    expect(server.sandbox.requests).toHaveLength(0);
    const policy = (await server.send(link)).headers.get('content-security-policy');
    expect(policy).toContain(`form-action 'self' ${server.sandbox.url};`);
  });

  test('sets a cookie that no script and no other site can use', async () => {
    const link = await connectLink(server, botId);
    const start = await server.send(link, { method: 'POST' });
    expect(start.status).toBe(303);
    expect(start.headers.get('referrer-policy')).toBe('no-referrer');
    expect(start.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^calhook_consent=[\w-]{43}\.[\w-]{43}; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
    ]);
  });

  test('stores link, state and cookie as hashes and the verifier sealed', async () => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const stored = JSON.stringify([await rows('connect_links'), await rows('oauth_states')]);
    const state = new URL(consentUrl).searchParams.get('state') ?? '';
    const secrets = [link.split('/').at(-1) ?? '', state, browser.cookie?.split(/[=.]/)[1] ?? ''];
    for (const secret of secrets) {
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(stored).not.toContain(secret);
    }
    expect(stored).toContain('"v1.test.');
  });

  test('works for half an hour after the link was made, and no longer', async () => {
    const link = await connectLink(server, botId);
    server.sandbox.clock.advance(29 * minute);
    expectPage(await server.send(link), 200);
    server.sandbox.clock.advance(minute);
    const browser: Browser = { cookie: null };
    expectPage(await server.send(link), 410, 'no longer valid', 'ask whoever sent it');
    expectPage(await startConsent(server, browser, link), 410);
    expect(server.sandbox.requests).toHaveLength(0);
    await expectNothingStored();
  });

  test.each([
    'x',
    'a'.repeat(43),
    'a'.repeat(99),
    'a'.repeat(290),
    '%3Cscript%3Ealert(1)%3C%2Fscript%3E',
  ])('shows a page for the made-up link /connect/%s', async (token) => {
    expectPage(await server.send(`/connect/${token}`), 410, 'no longer valid');
    expectPage(await server.send(`/connect/${token}`, { method: 'POST' }), 410);
  });

  test('belongs to the first browser that presses the button', async () => {
    const { link, browser } = await openConsent(server, botId);
    const other = await startConsent(server, { cookie: null }, link);
    expectPage(other, 409, 'another browser', 'go back to that browser');
    expect(other.headers.getSetCookie()).toEqual([]);
    const again = await startConsent(server, browser, link);
    expect(again.status).toBe(303);
    const page = await followCallback(
      server,
      browser,
      await consent(again.headers.get('location') ?? ''),
    );
    expectPage(page, 200);
  });

  test('shows a bot’s name as text, whatever it is', async () => {
    const name = `<img src=x onerror=alert(1)> & "Sons" 'Ltd'`;
    await server.call('PATCH', `/api/bots/${botId}`, { name });
    const escaped = '&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Sons&quot; &#39;Ltd&#39;';
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const first = await server.send(link);
    const last = await followCallback(server, browser, await consent(consentUrl));
    for (const page of [first, last]) {
      expectPage(page, 200);
      expect(page.text).toContain(escaped);
      expect(page.text).not.toContain('<img');
    }
  });

  test('takes each answer of Google once', async () => {
    const { browser, consentUrl } = await openConsent(server, botId);
    const cookie = browser.cookie;
    const callback = await consent(consentUrl);
    expectPage(await followCallback(server, browser, callback), 200);
    const exchanges = server.sandbox.requests.of('token').length;
    expectPage(await followCallback(server, { cookie }, callback), 400, 'already used');
    expect(server.sandbox.requests.of('token')).toHaveLength(exchanges);
    expect(await status()).toMatchObject({ connected: true, expired: false });
  });

  test('connects once with one link, also when two consents of it are under way', async () => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const second = await startConsent(server, browser, link);
    const { cookie } = browser;
    const callbacks = [
      await consent(consentUrl),
      await consent(second.headers.get('location') ?? ''),
    ];
    const pages = await Promise.all(
      callbacks.map((callback) => followCallback(server, { cookie }, callback)),
    );
    expect(pages.map((page) => page.status).sort()).toEqual([200, 410]);
    expect(await status()).toMatchObject({ connected: true, expired: false });
    expect((await book(server, botId, bookingOf())).status).toBe(201);
  });

  test('revokes what an unticked consent gave, when no bot uses the account', async () => {
    const grace = 'grace@example.com';
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await server.sandbox.consent(consentUrl, {
      account: grace,
      untick: [calendarScope],
    });
    expectPage(await followCallback(server, browser, callback), 400);
    expect(server.sandbox.requests.of('revoke')).toHaveLength(1);
    expect(server.sandbox.revokeGrants(grace)).toBe(0);
  });

  test('leaves the grant of another bot alone when the box is not ticked', async () => {
    const other = await server.connectedBot(account);
    server.sandbox.requests.clear();
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await consent(consentUrl, { untick: [calendarScope] });
    expectPage(await followCallback(server, browser, callback), 400, 'not ticked');
    expect(server.sandbox.requests.of('revoke')).toHaveLength(0);
    expect((await book(server, other, bookingOf())).status).toBe(201);
    expect(await status(other)).toMatchObject({ expired: false });
  });

  test('ends with the bot', async () => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const callback = await consent(consentUrl);
    await server.call('DELETE', `/api/bots/${botId}`);
    expectPage(await server.send(link), 410);
    expectPage(await followCallback(server, browser, callback), 400);
  });
});
