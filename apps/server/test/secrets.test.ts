import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { book, bookingOf } from './support/bookings.ts';
import { connectLink, followCallback, openConsent } from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { databaseBytes, dumpAllTables } from './support/stored.ts';
import {
  bootstrapKey,
  oauthClient,
  openTestApp,
  secretPartOf,
  type TestApp,
} from './support/test-app.ts';

const ada = 'ada@example.com';
const hour = 3_600_000;

describeOnEachDatabase('after a whole life with Google', (dialect) => {
  let server: TestApp;
  /** Every answer that the server gave, as text. */
  const answers: string[] = [];
  /** Where each secret must not be; links and new keys are answers' very purpose. */
  const fromGoogle = new Set<string>([oauthClient.clientSecret]);
  const fromUs = new Set<string>([bootstrapKey, secretPartOf(bootstrapKey)]);

  beforeAll(async () => {
    server = await openTestApp({ dialect });
    const { sandbox } = server;
    const { send } = server;
    server.send = async (path, request) => {
      const answer = await send(path, request);
      answers.push(answer.text);
      return answer;
    };
    const botId = await server.connectedBot(ada);
    const call = async (method: string, path: string, body?: unknown) => {
      const answer = await server.send(path, {
        method,
        headers: { authorization: `Bearer ${bootstrapKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answer;
    };
    const bookOnce = (id = botId) => call('POST', `/api/calendar/create-event/${id}`, bookingOf());
    const reconnect = async () => {
      const link = await call('POST', `/api/calendar/connect/${botId}`);
      fromUs.add(String(link.body.url).split('/').at(-1) ?? '');
      const page = await connectAs(sandbox, String(link.body.url), { account: ada });
      answers.push(await page.text());
    };

    // A key, a booking, a refresh, failures of each kind.
    const made = await call('POST', '/api/keys', { name: 'Secret' });
    fromUs.add(String(made.body.secret));
    fromUs.add(secretPartOf(String(made.body.secret)));
    await book(server, botId, bookingOf(), String(made.body.secret));
    await bookOnce();
    sandbox.clock.advance(hour);
    await bookOnce();
    for (const fault of [
      { kind: 'html', status: 502 },
      { kind: 'reset' },
      { kind: 'truncated' },
      { kind: 'commitThenDrop' },
      { kind: 'apiError', name: 'authError' },
      { kind: 'apiError', name: 'badRequest' },
    ] as const) {
      for (const route of ['events.insert', 'token', 'userinfo', 'events.list']) {
        sandbox.faults.add({ route, times: 3, fault });
        sandbox.clock.advance(hour);
        await bookOnce();
        await reconnect();
        sandbox.faults.clear();
      }
    }
    // Consents that fail half-way, with their state and cookie.
    const { browser, link, consentUrl } = await openConsent(server, botId);
    fromUs.add(link.split('/').at(-1) ?? '');
    fromUs.add(browser.cookie?.split(/[=.]/)[1] ?? '');
    const callback = new URL(await sandbox.consent(consentUrl, { account: ada }));
    fromGoogle.add(callback.searchParams.get('state') ?? '');
    await followCallback(server, { cookie: null }, callback.href);
    await followCallback(server, browser, callback.href);
    const tampered = new URL(callback);
    tampered.searchParams.set('iss', 'https://evil.example');
    await followCallback(server, browser, tampered.href);
    const open = await connectLink(server, botId);
    fromUs.add(open.split('/').at(-1) ?? '');
    // Revoked, refused, connected again, disconnected; a refresh token that Google knows no more.
    sandbox.revokeGrants(ada);
    await bookOnce();
    await reconnect();
    await bookOnce();
    sandbox.faults.add({ route: 'revoke', times: 2, fault: { kind: 'html', status: 503 } });
    await call('POST', `/api/calendar/disconnect/${botId}`);
    await reconnect();
    await call('GET', `/api/calendar/status/${botId}`);
    for (const secret of sandbox.issuedSecrets()) fromGoogle.add(secret);
    for (const { body, query } of sandbox.requests) {
      const form = (typeof body === 'object' && body !== null ? body : {}) as Record<
        string,
        unknown
      >;
      for (const value of [
        form.code_verifier,
        form.client_secret,
        query.state,
        query.code_challenge,
      ]) {
        if (typeof value === 'string') fromGoogle.add(value);
      }
    }
  });
  afterAll(() => server.close());

  const found = (haystack: string, needles: Iterable<string>) =>
    [...needles].filter((needle) => haystack.includes(needle));

  test('there are secrets to look for', () => {
    const kinds = [/^ya29\./, /^1\/\//, /^4\//, /^eyJ/];
    for (const kind of kinds) {
      expect([...fromGoogle].filter((secret) => kind.test(secret)).length).toBeGreaterThan(5);
    }
    expect([...fromGoogle, ...fromUs].every((secret) => secret.length >= 16)).toBe(true);
  });

  test('no secret is in the database', async () => {
    const dump = await dumpAllTables(server.database);
    expect(dump).toContain('alan@example.org');
    expect(found(dump, ['alan@example.org', 'v1.test.'])).toHaveLength(2);
    expect(found(dump, [...fromGoogle, ...fromUs])).toEqual([]);
    const bytes = await databaseBytes(server.database);
    expect(found(bytes, ['alan@example.org', 'v1.test.'])).toHaveLength(2);
    expect(found(bytes, [...fromGoogle, ...fromUs])).toEqual([]);
  });

  test('no secret is in the log', () => {
    const log = server.log.join('\n');
    expect(log).toContain('event not inserted');
    expect(log).toContain('consent could not be finished');
    expect(found(log, [...fromGoogle, ...fromUs])).toEqual([]);
  });

  test('no customer is in the log', () => {
    expect(found(server.log.join('\n'), ['alan@example.org', 'Alan Turing', ada])).toEqual([]);
  });

  test('no secret of Google is in any answer', () => {
    expect(answers.length).toBeGreaterThan(60);
    const all = answers.join('\n');
    expect(all).toContain('Google did not answer');
    expect(found(all, fromGoogle)).toEqual([]);
    expect(found(all, [bootstrapKey])).toEqual([]);
  });
});
