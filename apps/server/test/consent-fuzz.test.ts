import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { openConsent } from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

/** Requests per database; both together are at least the 20,000 that are promised. */
const requests = process.env.CALHOOK_LONG ? 50_000 : 10_000;
/** A state lives through about so many of them before one with the wrong cookie spends it. */
const requestsPerConsent = 40;

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
  let botId: string;
  /** Parts of true requests, the newest last, so that the made-up ones come close and come through. */
  const known: { states: string[]; codes: string[]; tokens: string[]; cookies: string[] } = {
    states: [],
    codes: [],
    tokens: [],
    cookies: [],
  };
  let consents = 0;
  /** Opens another consent, now with the account that the bot has, now with another one. */
  const openAnother = async () => {
    const { browser, link, consentUrl } = await openConsent(server, botId);
    const account = consents++ % 3 === 0 ? 'grace@example.com' : 'ada@example.com';
    const callback = new URL(await server.sandbox.consent(consentUrl, { account }));
    known.states.push(callback.searchParams.get('state') ?? '');
    known.codes.push(callback.searchParams.get('code') ?? '');
    known.tokens.push(link.split('/').at(-1) ?? '');
    known.cookies.push(String(browser.cookie));
  };
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botId = await server.connectedBot();
    server.sandbox.revokeGrants('ada@example.com');
    await book(server, botId, bookingOf());
    const { body } = await server.call('GET', `/api/calendar/status/${botId}`);
    known.tokens.push(new URL(String(body.reconnectUrl)).pathname.split('/').at(-1) ?? '');
    await openAnother();
  });
  afterAll(() => server.close());

  test('take anything without a fault, a leak or a way out', { timeout: 600_000 }, async () => {
    const own = new URL(server.url).origin;
    const consentOrigin = server.sandbox.url;
    /** How often each state of Google's answers, and each token of a page, was taken. */
    const taken = new Map<string, number>();
    let callbacksTaken = 0;
    /** States that an answer was sent for: whatever came of it, each is spent. */
    const spent = new Set<string>();
    const check = async (
      method: 'GET' | 'POST' | 'HEAD',
      path: string,
      cookie: string | null,
    ): Promise<boolean> => {
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
      if (answer.statusCode >= 500 && method !== 'HEAD') {
        expect(answer.body, shown).toContain('Nothing was connected');
      }
      expect(answer.body, shown).not.toContain(marker);
      const location = String(answer.headers.location ?? '');
      if (location !== '') {
        const target = new URL(location, own);
        expect([own, consentOrigin], shown).toContain(target.origin);
      }
      expect(String(answer.headers['set-cookie'] ?? 'calhook_consent='), shown).toMatch(
        /^calhook_consent=/,
      );
      const isCallback = path.startsWith('/oauth/');
      const state = isCallback ? new URL(path, own).searchParams.get('state') : null;
      if (state !== null && known.states.includes(state) && method === 'GET') {
        if (spent.has(state))
          expect([400, 414], `spent state: ${shown}`).toContain(answer.statusCode);
        else if (answer.statusCode !== 414) spent.add(state);
      }
      const isStep = method === 'POST' && /^\/connect\/(replace|keep|undo)\//.test(path);
      const isTaken =
        (isCallback && (answer.statusCode === 200 || answer.statusCode === 303)) ||
        (isStep && answer.statusCode === 200);
      if (!isTaken) return false;
      const what = isCallback ? state : path.split('/').slice(3).join('/');
      expect(taken.has(String(what)), `taken twice: ${shown}`).toBe(false);
      taken.set(String(what), 1);
      if (isCallback) callbacksTaken++;
      const steps = /\/connect\/(?:replace|keep|undo)\/([\w-]{43})/.exec(answer.body + location);
      if (steps?.[1]) known.tokens.push(steps[1]);
      return true;
    };

    /** Mostly as in one and the same true request, now and then of an older one, or made up. */
    const part = (of: () => readonly string[]) =>
      fc.oneof(
        { weight: 6, arbitrary: fc.constant((back: number) => of().at(-back) ?? '') },
        { weight: 1, arbitrary: fc.constant((back: number) => of().at(-back - 2) ?? '') },
        { weight: 3, arbitrary: hostile.map((text) => () => text) },
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
      /** Which of the known requests, counted from the newest. */
      back: fc.constantFrom(1, 1, 1, 2, 3),
      token: part(() => known.tokens),
      state: part(() => known.states),
      code: part(() => known.codes),
      extra: fc.oneof(
        fc.constant<Record<string, string>>({}),
        fc.dictionary(
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
      ),
      raw: fc.boolean(),
      cookie: fc.oneof(
        { weight: 4, arbitrary: part(() => known.cookies) },
        { weight: 1, arbitrary: fc.constant(() => null) },
        {
          weight: 1,
          arbitrary: fc
            .string({ unit: fc.constantFrom(...'abc.%;=" _-<>'), maxLength: 80 })
            .map((value) => () => `calhook_consent=${value}`),
        },
        { weight: 1, arbitrary: fc.constant(() => `calhook_consent=${marker}`) },
      ),
    });
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        request,
        async ({ method, route, back, token, state, code, extra, raw, cookie }) => {
          const encode = raw
            ? (text: string) => encodeURI(text.toWellFormed())
            : encodeURIComponent;
          const text = (value: string) => encode(value.toWellFormed()).replaceAll('#', '%23');
          const query = Object.entries({ state: state(back), code: code(back), ...extra })
            .map(([name, value]) => `${name}=${text(value)}`)
            .join('&');
          const path = route.startsWith('/oauth')
            ? `${route}?${query}`
            : `${route}/${text(token(back))}`;
          // Whatever was taken is not taken a second time.
          const held = cookie(back);
          if (await check(method, path, held)) await check(method, path, held);
          if (++sent % requestsPerConsent === 0) await openAnother();
        },
      ),
      { numRuns: requests },
    );
    // True answers were among them, and pages after them; else nothing above was put to the test.
    expect(callbacksTaken).toBeGreaterThan(requests / 2_000);
    expect(taken.size - callbacksTaken).toBeGreaterThan(0);
  });
});
