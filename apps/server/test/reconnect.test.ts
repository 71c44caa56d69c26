import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';

const ada = 'ada@example.com';
const grace = 'grace@example.com';
const minute = 60_000;
const allKeys = [7, 8].map((byte, i) => `key${i}:${Buffer.alloc(32, byte).toString('base64')}`);

describeOnEachDatabase('an owner', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  beforeEach(async () => {
    server.sandbox.faults.clear();
    botId = await server.connectedBot(ada, { name: 'Ada’s Workshop' });
    server.sandbox.requests.clear();
  });
  afterEach(() => server.call('POST', `/api/calendar/disconnect/${botId}`));
  afterAll(() => server.close());

  const status = async () => (await server.call('GET', `/api/calendar/status/${botId}`)).body;
  const activities = async () =>
    (
      await runSql(
        server.database,
        `select kind from activity where client_id = '${botId}' and kind like 'connection.%' order by id`,
      )
    ).map(({ kind }) => String(kind).split('.')[1]);
  const press = (browser: Browser, path: string | undefined) =>
    server.send(path ?? '/missing', {
      method: 'POST',
      headers: browser.cookie ? { cookie: browser.cookie } : {},
    });
  const formOf = (page: Answer, action: string) =>
    new RegExp(`action="(/connect/${action}/[\\w-]{43})"`).exec(page.text)?.[1];

  /** Goes through consent with another account, up to the question. */
  const askedAbout = async (account: string) => {
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await server.sandbox.consent(consentUrl, { account });
    const answer = await followCallback(server, browser, callback);
    expect(answer.status).toBe(303);
    const location = answer.headers.get('location') ?? '';
    const question = await server.send(location, { headers: { cookie: String(browser.cookie) } });
    return { browser, location, question };
  };
  const revoked = () => server.sandbox.requests.of('revoke').length;

  test('who chooses another account is asked, and nothing changes before the answer', async () => {
    const { browser, location, question } = await askedAbout(grace);
    expectPage(question, 200, 'Use another account?', 'Ada’s Workshop', ada, grace);
    expect(await status()).toMatchObject({ account: ada });
    // Looking again, as a reload does, is no answer, and no other browser may look.
    const again = await server.send(location, { headers: { cookie: String(browser.cookie) } });
    expectPage(again, 200, 'Use another account?');
    expectPage(await server.send(location), 400, 'finish where you started');
    expectPage(await press({ cookie: null }, formOf(question, 'replace')), 400);
    expectPage(await press({ cookie: 'calhook_consent=x.y' }, formOf(question, 'replace')), 410);
    expect(await status()).toMatchObject({ account: ada });

    const page = await press(browser, formOf(question, 'replace'));
    expectPage(page, 200, 'Your calendar is connected', grace);
    expect(await status()).toMatchObject({ account: grace, expired: false });
    expect(await activities()).toEqual(['connected', 'connected']);
    const booked = await book(server, botId, bookingOf());
    expect(server.sandbox.events(grace).map(({ id }) => id)).toContain(booked.body.eventId);
    expectPage(await press(browser, formOf(question, 'replace')), 410, 'answered already');
  });

  test('who keeps the former account gives the new grant back', async () => {
    const { browser, question } = await askedAbout(grace);
    const page = await press(browser, formOf(question, 'keep'));
    expectPage(page, 200, 'Nothing was changed', ada);
    expect(revoked()).toBe(1);
    expect(server.sandbox.revokeGrants(grace)).toBe(0);
    expect(await status()).toMatchObject({ account: ada, expired: false });
    expectPage(await press(browser, formOf(question, 'replace')), 410);
    expect((await book(server, botId, bookingOf())).status).toBe(201);
  });

  test('who never answers leaves no grant behind', async () => {
    const { browser, question } = await askedAbout(grace);
    const [row] = await runSql(
      server.database,
      `select sealed from consent_steps where client_id = '${botId}' and kind = 'replace'`,
    );
    expect(row?.sealed).toMatch(/^v1\.test\./);
    server.sandbox.clock.advance(10 * minute);
    await server.app.care.pass();
    expect(server.sandbox.revokeGrants(grace)).toBe(0);
    expectPage(await press(browser, formOf(question, 'replace')), 410);
    expect(await status()).toMatchObject({ account: ada });
  });

  test('is heard once, however often the button is pressed at the same time', async () => {
    const { browser, question } = await askedAbout(grace);
    const { cookie } = browser;
    const pages = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        press({ cookie }, formOf(question, i % 2 ? 'replace' : 'keep')),
      ),
    );
    expect(pages.filter((page) => page.status === 200)).toHaveLength(1);
    expect(pages.filter((page) => page.status === 410)).toHaveLength(49);
  });

  test('may use one answer of Google once, however often it is sent at the same time', async () => {
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await server.sandbox.consent(consentUrl, { account: ada });
    const { cookie } = browser;
    server.sandbox.requests.clear();
    const pages = await Promise.all(
      Array.from({ length: 50 }, () => followCallback(server, { cookie }, callback)),
    );
    expect(pages.filter((page) => page.status === 200)).toHaveLength(1);
    expect(server.sandbox.requests.of('token')).toHaveLength(1);
  });

  test('who sees the wrong account on the last page disconnects it there', async () => {
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await server.sandbox.consent(consentUrl, { account: ada });
    const page = await followCallback(server, browser, callback);
    expectPage(page, 200, 'Not you?', ada);
    const undo = formOf(page, 'undo');
    // Loading the address changes nothing: only the button does.
    expect((await server.send(undo ?? '')).status).toBe(405);
    expect(await status()).toMatchObject({ connected: true });
    expectPage(await press({ cookie: null }, undo), 200, 'disconnected');
    expect(await status()).toMatchObject({ connected: false });
    expect(revoked()).toBe(1);
    expectPage(await press({ cookie: null }, undo), 410);
  });

  test('cannot disconnect a later connection by an older page, nor an old one', async () => {
    const { browser, consentUrl } = await openConsent(server, botId);
    const page = await followCallback(
      server,
      browser,
      await server.sandbox.consent(consentUrl, { account: ada }),
    );
    const other = await askedAbout(grace);
    await press(other.browser, formOf(other.question, 'replace'));
    await press({ cookie: null }, formOf(page, 'undo'));
    expect(await status()).toMatchObject({ connected: true, account: grace });
    const late = await askedAbout(ada);
    const last = await press(late.browser, formOf(late.question, 'replace'));
    server.sandbox.clock.advance(30 * minute);
    expectPage(await press({ cookie: null }, formOf(last, 'undo')), 410);
    expect(await status()).toMatchObject({ connected: true, account: ada });
  });

  test('cannot use a link that was revoked, not even half-way', async () => {
    const open = await connectLink(server, botId);
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const revoke = (id: string) => server.call('DELETE', `/api/calendar/connect/${id}`);
    expect((await revoke(botId)).status).toBe(204);
    for (const path of [open, link]) expectPage(await server.send(path), 410, 'no longer valid');
    const callback = await server.sandbox.consent(consentUrl, { account: ada });
    expectPage(await followCallback(server, browser, callback), 400);
    expect((await revoke(botId)).status).toBe(204);
    expect((await revoke('bot-nobody')).status).toBe(404);
  });

  test('mends a connection by the link in its status, in two clicks', async () => {
    expect((await status()).reconnectUrl).toBeNull();
    server.sandbox.revokeGrants(ada);
    await book(server, botId, bookingOf());
    const { reconnectUrl } = await status();
    const path = new URL(String(reconnectUrl)).pathname;
    for (let looks = 0; looks < 2; looks++) {
      expectPage(await server.send(path), 200, 'Reconnect your calendar to Ada’s Workshop', ada);
    }
    expect((await status()).reconnectUrl).toBe(reconnectUrl);
    const browser: Browser = { cookie: null };
    const start = await startConsent(server, browser, path);
    const callback = await server.sandbox.consent(start.headers.get('location') ?? '', {
      account: ada,
    });
    expectPage(await followCallback(server, browser, callback), 200, 'is connected', ada);
    expect(await status()).toMatchObject({ expired: false, reconnectUrl: null });
    expect(await activities()).toEqual(['connected', 'needs_reauth', 'recovered']);
    expect((await book(server, botId, bookingOf())).status).toBe(201);
    expectPage(await server.send(path), 410, 'no longer needed');
    expectPage(await startConsent(server, { cookie: null }, path), 410);
  });

  test('cannot mend a connection with another account', async () => {
    server.sandbox.revokeGrants(ada);
    await book(server, botId, bookingOf());
    const path = new URL(String((await status()).reconnectUrl)).pathname;
    const browser: Browser = { cookie: null };
    const start = await startConsent(server, browser, path);
    server.sandbox.requests.clear();
    const callback = await server.sandbox.consent(start.headers.get('location') ?? '', {
      account: grace,
    });
    expectPage(await followCallback(server, browser, callback), 409, 'another account than before');
    expect(server.sandbox.revokeGrants(grace)).toBe(0);
    expect(await status()).toMatchObject({ account: ada, expired: true });
  });

  test.each([
    [
      'another bot’s',
      (path: string) => path.replace(/[\w-]+\./, `${Buffer.from('bot-x').toString('base64url')}.`),
    ],
    ['a changed', (path: string) => path.replace(/\.(.)/, (_, c) => (c === 'A' ? '.B' : '.A'))],
    ['an unsigned', (path: string) => path.split('.')[0] ?? ''],
    ['an endless', (path: string) => `${path}${'a'.repeat(4_000)}`],
    ['a garbled', () => '/reconnect/%F0%9F%92%A9.%00'],
  ])('is told that %s reconnect link is not valid', async (_, forge) => {
    server.sandbox.revokeGrants(ada);
    await book(server, botId, bookingOf());
    const path = forge(new URL(String((await status()).reconnectUrl)).pathname);
    expectPage(await server.send(path), 410, 'no longer valid');
    expectPage(await server.send(path, { method: 'POST' }), 410);
  });
});

describeOnEachDatabase('a reconnect link', (dialect) => {
  test('outlives the key that it was signed with becoming the second one', async () => {
    const environment = { CALHOOK_ENCRYPTION_KEYS: allKeys[0] ?? '' };
    const before = await openTestApp({ dialect, environment });
    const botId = await before.connectedBot(ada);
    before.sandbox.revokeGrants(ada);
    await book(before, botId, bookingOf());
    const { body } = await before.call('GET', `/api/calendar/status/${botId}`);
    const { pathname } = new URL(String(body.reconnectUrl));
    const { database, sandbox } = before;
    const rotated = { CALHOOK_ENCRYPTION_KEYS: [allKeys[1], allKeys[0]].join(',') };
    const after = await openTestApp({ dialect, database, sandbox, environment: rotated });
    expectPage(await after.send(pathname), 200, 'Reconnect your calendar');
    await after.close();
    await before.close();
  });
});
