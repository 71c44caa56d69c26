import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { openConsent } from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

/** Requests per database; both together are the 20,000 that are promised. */
const requests = 10_000;

const marker = '<fuzz-marker>';
const hostile = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    marker,
    `"><script>${marker}</script>`,
    'https://evil.example/',
    '//evil.example',
    'javascript:alert(1)',
    '\r\nSet-Cookie: a=b',
    '../../api/bots',
    'a'.repeat(5_000),
    '%00',
    '%',
    '',
  ),
);

describeOnEachDatabase('callbacks and connect pages', (dialect) => {
  let server: TestApp;
  /** Parts of true requests, so that the made-up ones come close. */
  let known: { states: string[]; codes: string[]; tokens: string[]; cookies: string[] };
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    const botId = await server.connectedBot();
    server.sandbox.revokeGrants('ada@example.com');
    await book(server, botId, bookingOf());
    const { body } = await server.call('GET', `/api/calendar/status/${botId}`);
    const reconnect = new URL(String(body.reconnectUrl)).pathname.split('/').at(-1) ?? '';
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const callback = new URL(
      await server.sandbox.consent(consentUrl, { account: 'grace@example.com' }),
    );
    known = {
      states: [callback.searchParams.get('state') ?? ''],
      codes: [callback.searchParams.get('code') ?? ''],
      tokens: [link.split('/').at(-1) ?? '', reconnect],
      cookies: [String(browser.cookie)],
    };
  });
  afterAll(() => server.close());

  test('take anything without a fault, a leak or a way out', { timeout: 300_000 }, async () => {
    const own = new URL(server.url).origin;
    const consentOrigin = server.sandbox.url;
    let statesUsed = 0;
    const check = async (
      method: 'GET' | 'POST' | 'HEAD',
      path: string,
      cookie: string | null,
    ): Promise<void> => {
      const answer = await server.app.http.inject({
        method,
        url: path,
        headers: cookie === null ? {} : { cookie },
      });
      const shown = `${method} ${path} ${cookie} -> ${answer.statusCode}`;
      // 401: `..` may lead to a route that wants a key.
      expect([200, 303, 400, 401, 404, 405, 409, 410, 414, 415, 502, 503], shown).toContain(
        answer.statusCode,
      );
      // 502 and 503 say what Google did, on a page; nothing else may fail.
      if (answer.statusCode >= 500) expect(answer.body, shown).toContain('Nothing was connected');
      expect(answer.body, shown).not.toContain(marker);
      const { location } = answer.headers;
      if (location !== undefined) {
        const target = new URL(String(location), own);
        expect([own, consentOrigin], shown).toContain(target.origin);
      }
      expect(String(answer.headers['set-cookie'] ?? 'calhook_consent='), shown).toMatch(
        /^calhook_consent=/,
      );
      if (answer.body.includes('Your calendar is connected')) statesUsed++;
      if (answer.statusCode === 303 && path.startsWith('/oauth/')) statesUsed++;
    };

    const part = (of: () => readonly string[]) =>
      fc.oneof(
        { weight: 1, arbitrary: fc.constant(null).map(() => of()[0] ?? '') },
        { weight: 4, arbitrary: hostile },
      );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'HEAD') as fc.Arbitrary<'GET' | 'POST' | 'HEAD'>,
      route: fc.constantFrom(
        '/oauth/google/callback',
        '/oauth/google/callback',
        '/connect',
        '/reconnect',
        '/connect/replace',
        '/connect/keep',
        '/connect/undo',
      ),
      token: part(() => known.tokens),
      state: part(() => known.states),
      code: part(() => known.codes),
      extra: fc.dictionary(
        fc.constantFrom(
          'state',
          'code',
          'error',
          'error_description',
          'iss',
          'scope',
          'redirect_uri',
        ),
        hostile,
        { maxKeys: 3 },
      ),
      raw: fc.boolean(),
      cookie: fc.oneof(
        fc.constant(null),
        fc.constant('known'),
        fc.string({ unit: fc.constantFrom(...'abc.%;=" _-<>'), maxLength: 80 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        request,
        async ({ method, route, token, state, code, extra, raw, cookie }) => {
          const encode = raw
            ? (text: string) => encodeURI(text.toWellFormed())
            : encodeURIComponent;
          const text = (value: string) => encode(value.toWellFormed()).replaceAll('#', '%23');
          const query = Object.entries({ state, code, ...extra })
            .map(([name, value]) => `${name}=${text(value)}`)
            .join('&');
          const path = route.startsWith('/oauth') ? `${route}?${query}` : `${route}/${text(token)}`;
          const sent =
            cookie === 'known' ? known.cookies[0] : cookie && `calhook_consent=${cookie}`;
          await check(method, path, sent ?? null);
        },
      ),
      { numRuns: requests },
    );
    // The true state was among them, with its code and its cookie, and worked once at the most.
    expect(statesUsed).toBeLessThanOrEqual(1);
  });
});
