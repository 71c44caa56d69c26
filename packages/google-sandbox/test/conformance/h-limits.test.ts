import type { calendar_v3 } from '@googleapis/calendar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  BEFORE_MONDAY,
  BOB,
  type Connection,
  connect,
  halfHour,
  MONDAY,
  reasonOf,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
let connection: Connection;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox({ now: BEFORE_MONDAY });
  connection = await connect(sandbox);
  api = connection.api;
});
afterEach(() => sandbox.close());

const calendarId = 'primary';
const list = (from = api) => from.events.list({ calendarId });

/** Keeps listing until something other than 200 comes; returns how often it went well. */
async function listUntilRefused(most: number): Promise<number> {
  for (let count = 0; count < most; count += 1) {
    const outcome = await list().then(
      () => 'fine',
      () => 'refused',
    );
    if (outcome === 'refused') return count;
  }
  return most;
}

describe('H. Limits and faults', () => {
  test('64 sliding minute windows per user and per project, in both shapes', async () => {
    expect(await listUntilRefused(700)).toBe(600);
    expect(await reasonOf(list())).toEqual({
      status: 403,
      reason: 'userRateLimitExceeded',
      message: 'User Rate Limit Exceeded',
    });
    const bob = await connect(sandbox, { account: BOB });
    expect((await list(bob.api)).status).toBe(200);
    sandbox.set({ rateLimitStatus: 429 });
    const { status, body } = await refusalOf(list());
    expect([status, body]).toMatchObject([
      429,
      { error: { status: 'RESOURCE_EXHAUSTED', errors: [{ reason: 'rateLimitExceeded' }] } },
    ]);

    // The window slides: as time passes, what left it is free again.
    sandbox.clock.advance(60_001);
    sandbox.set({ requestsPerMinutePerUser: 10, rateLimitStatus: 403 });
    expect(await listUntilRefused(6)).toBe(6);
    sandbox.clock.advance(30_000);
    expect(await listUntilRefused(6)).toBe(4);
    sandbox.clock.advance(30_001);
    expect(await listUntilRefused(20)).toBe(6);

    sandbox.clock.advance(60_001);
    sandbox.set({ requestsPerMinutePerUser: 0, requestsPerMinutePerProject: 3 });
    expect([(await list()).status, (await list(bob.api)).status, (await list()).status]).toEqual([
      200, 200, 200,
    ]);
    expect(await reasonOf(list(bob.api))).toEqual({
      status: 403,
      reason: 'rateLimitExceeded',
      message: 'Rate Limit Exceeded',
    });
    sandbox.set({ requestsPerMinutePerProject: 0 });
    expect(await listUntilRefused(50)).toBe(50);
  });

  test('65 with the invitation budget used up, inserts without guests still go through', async () => {
    sandbox.set({ externalInvitesPerDay: 2 });
    const insert = (guests: string[], sendUpdates = 'all') =>
      api.events.insert({
        calendarId,
        sendUpdates,
        requestBody: halfHour(MONDAY, { attendees: guests.map((email) => ({ email })) }),
      });
    expect((await insert(['a@customer.example', 'b@customer.example'])).status).toBe(200);
    const before = sandbox.mailbox().length;
    const { status, body } = await refusalOf(insert(['c@customer.example']));
    expect([status, body]).toEqual([
      403,
      {
        error: {
          errors: [
            {
              domain: 'usageLimits',
              reason: 'quotaExceeded',
              message: 'Calendar usage limits exceeded.',
            },
          ],
          code: 403,
          message: 'Calendar usage limits exceeded.',
        },
      },
    ]);
    expect(sandbox.mailbox()).toHaveLength(before);
    expect((await insert([])).status).toBe(200);
    expect((await insert(['c@customer.example'], 'none')).status).toBe(200);
    // Guests of the own domain are not outside.
    expect((await insert([BOB])).status).toBe(200);
    sandbox.clock.advance(86_400_001);
    const later = await connect(sandbox);
    expect(
      (
        await later.api.events.insert({
          calendarId,
          sendUpdates: 'all',
          requestBody: halfHour(MONDAY, { attendees: [{ email: 'c@customer.example' }] }),
        })
      ).status,
    ).toBe(200);
  });

  test('66 every fault can be injected, counted per route', async () => {
    sandbox.faults.add({
      route: 'events.list',
      times: 2,
      fault: { kind: 'apiError', name: 'backendError' },
    });
    // Another route is not touched.
    expect((await api.events.insert({ calendarId, requestBody: halfHour(MONDAY) })).status).toBe(
      200,
    );
    for (let time = 0; time < 2; time += 1) {
      expect(await reasonOf(list())).toEqual({
        status: 500,
        reason: 'backendError',
        message: 'Backend Error',
      });
    }
    expect((await list()).status).toBe(200);

    sandbox.faults.add({ route: 'events.list', fault: { kind: 'apiError', name: 'unavailable' } });
    expect((await refusalOf(list())).body).toMatchObject({ error: { status: 'UNAVAILABLE' } });
    sandbox.faults.add({
      route: 'events.list',
      fault: {
        kind: 'status',
        status: 503,
        body: { custom: true },
        headers: { 'retry-after': '7' },
      },
    });
    const custom = await refusalOf(list());
    expect([custom.status, custom.body, custom.headers.get('retry-after')]).toEqual([
      503,
      { custom: true },
      '7',
    ]);
    sandbox.faults.add({ route: '*', fault: { kind: 'html', status: 502 } });
    const page = await refusalOf(list());
    expect([page.status, page.headers.get('content-type')]).toEqual([
      502,
      'text/html; charset=utf-8',
    ]);

    const url = `${sandbox.endpoints.apiUrl}/calendar/v3/calendars/primary/events`;
    const ask = (signal?: AbortSignal) =>
      fetch(url, {
        headers: { authorization: `Bearer ${connection.tokens.access_token}` },
        ...(signal ? { signal } : {}),
      });
    sandbox.faults.add({ route: 'events.list', fault: { kind: 'truncated' } });
    const cut = await ask();
    expect(cut.status).toBe(200);
    await expect(cut.json()).rejects.toBeInstanceOf(SyntaxError);

    const whole = (await (await ask()).text()).length;
    sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'slow', bytesPerSecond: whole },
    });
    const began = performance.now();
    const slow = await ask();
    const headersAfter = performance.now() - began;
    expect((await slow.text()).length).toBe(whole);
    const wholeAfter = performance.now() - began;
    expect(wholeAfter).toBeGreaterThan(700);
    expect(headersAfter).toBeLessThan(wholeAfter / 2);

    sandbox.faults.add({ route: 'events.list', fault: { kind: 'reset' } });
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });

    const hang = sandbox.faults.add({
      route: 'events.list',
      times: 2,
      fault: { kind: 'hang', ms: 30_000 },
    });
    const stop = new AbortController();
    const hung = expect(ask(stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => hang.hits).toBe(1);
    stop.abort();
    await hung;
    const waiting = ask();
    while (sandbox.requests.of('events.list').at(-1)?.status !== 0 || hang.hits !== 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    sandbox.clock.advance(30_000);
    expect((await waiting).status).toBe(200);

    const removed = sandbox.faults.add({ route: 'events.list', fault: { kind: 'reset' } });
    removed.remove();
    expect((await list()).status).toBe(200);
    expect(removed.hits).toBe(0);
  });
});
