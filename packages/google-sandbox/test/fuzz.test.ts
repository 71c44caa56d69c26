import { Agent, request as httpRequest } from 'node:http';
import { connect as connectSocket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { METHODS } from '../src/calendar/methods.ts';
import type { Sandbox } from '../src/index.ts';
import {
  ADA,
  CALENDAR_SCOPE,
  CLIENT,
  connect,
  REDIRECT,
  startTestSandbox,
} from './google-client.ts';
import { runSize } from './run-size.ts';

/** How many requests are under way at once. */
const LANES = 32;

let sandbox: Sandbox;
let token: string;
const agent = new Agent({ keepAlive: true, maxSockets: LANES });
beforeAll(async () => {
  sandbox = await startTestSandbox({
    switches: { requestsPerMinutePerUser: 0, requestsPerMinutePerProject: 0 },
  });
  const { tokens } = await connect(sandbox, {
    scope: ['openid', 'email', CALENDAR_SCOPE],
  });
  token = tokens.access_token ?? '';
  sandbox.putEvent(ADA, {
    id: 'series0',
    start: { dateTime: '2027-01-11T09:00:00', timeZone: 'Europe/Berlin' },
    end: { dateTime: '2027-01-11T10:00:00', timeZone: 'Europe/Berlin' },
    recurrence: ['RRULE:FREQ=DAILY'],
  });
});
afterAll(async () => {
  agent.destroy();
  await sandbox.close();
});

type Shot = {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
};

const anything = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown> },
  fc.constantFrom<unknown>(
    'primary',
    ADA,
    'series0',
    'series0_20270112T080000Z',
    '2027-01-11T09:00:00Z',
    '2027-02-30T09:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '0001-01-01',
    '2027-01-11',
    'Europe/Berlin',
    'Not/AZone',
    '+01:00',
    '__proto__',
    -1,
    1e308,
    null,
    true,
  ),
);
const dateTime = fc.record(
  { dateTime: anything, date: anything, timeZone: anything },
  { requiredKeys: [] },
);
const ruleText = fc
  .array(
    fc.constantFrom(
      'FREQ=DAILY',
      'FREQ=YEARLY',
      'FREQ=WEEKLY',
      'FREQ=MONTHLY',
      'FREQ=SECONDLY',
      'INTERVAL=0',
      'INTERVAL=9999',
      'COUNT=100000',
      'COUNT=-1',
      'UNTIL=20271301',
      'UNTIL=99991231T235959Z',
      'BYDAY=MO,TU',
      'BYDAY=-53SU',
      'BYMONTHDAY=31',
      'BYMONTH=2',
      'BYSETPOS=-366',
      'BYWEEKNO=53',
      'BYYEARDAY=-366',
      '=',
      '',
    ),
    { maxLength: 6 },
  )
  .map((parts) => `RRULE:${parts.join(';')}`);
const eventBody = fc.record(
  {
    id: anything,
    summary: anything,
    start: fc.oneof(dateTime, anything),
    end: fc.oneof(dateTime, anything),
    status: fc.constantFrom('confirmed', 'tentative', 'cancelled', 'odd'),
    attendees: fc.oneof(
      fc.array(fc.record({ email: anything, responseStatus: anything })),
      anything,
    ),
    recurrence: fc.oneof(fc.array(fc.oneof(ruleText, fc.string()), { maxLength: 3 }), anything),
    reminders: fc.oneof(
      fc.record(
        {
          useDefault: anything,
          overrides: fc.array(fc.record({ method: anything, minutes: anything })),
        },
        { requiredKeys: [] },
      ),
      anything,
    ),
    extendedProperties: fc.oneof(
      fc.record(
        { private: fc.dictionary(fc.string(), anything), shared: anything },
        { requiredKeys: [] },
      ),
      anything,
    ),
    conferenceData: fc.oneof(
      fc.record({ createRequest: fc.record({ requestId: anything }) }),
      anything,
    ),
    eventType: fc.constantFrom('default', 'focusTime', 'birthday', 'fromGmail', 'odd'),
    iCalUID: anything,
    sequence: anything,
    source: anything,
    attachments: anything,
  },
  { requiredKeys: [] },
);
const otherBody = fc.record(
  {
    timeMin: anything,
    timeMax: anything,
    timeZone: anything,
    items: fc.oneof(fc.array(fc.record({ id: anything })), anything),
    id: anything,
    type: fc.constantFrom('web_hook', 'odd'),
    address: anything,
    token: anything,
    expiration: anything,
    resourceId: anything,
  },
  { requiredKeys: [] },
);
const form = fc
  .dictionary(
    fc.constantFrom(
      'grant_type',
      'code',
      'refresh_token',
      'client_id',
      'client_secret',
      'redirect_uri',
      'code_verifier',
      'token',
      'request',
      'account',
      'scope',
      'decision',
      'access_token',
    ),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'authorization_code',
        'refresh_token',
        CLIENT.clientId,
        CLIENT.clientSecret,
        REDIRECT,
        ADA,
        'allow',
        '4/0A',
        `client_id=${CLIENT.clientId}&redirect_uri=${REDIRECT}&response_type=code&scope=openid`,
      ),
    ),
  )
  .map((fields) => new URLSearchParams(fields).toString());
const body: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: eventBody.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: otherBody.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: form },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constant('') },
);

const segment = fc.oneof(
  fc.constantFrom(
    'primary',
    encodeURIComponent(ADA),
    'series0',
    'series0_20270112T080000Z',
    'series0_99999999',
    '%',
    '%ff',
    '..',
    '',
    'x'.repeat(2_000),
  ),
  fc.string().map((text) => encodeURIComponent(text.toWellFormed())),
);
const OTHER_PATHS = [
  '/o/oauth2/v2/auth',
  '/o/oauth2/v2/auth/account',
  '/o/oauth2/v2/auth/consent',
  '/token',
  '/revoke',
  '/v1/userinfo',
  '/tokeninfo',
  '/oauth2/v3/certs',
  '/.well-known/openid-configuration',
  '/',
  '/calendar/:calendarId',
  '/mailbox/:email',
  '/sandbox/events',
  '/sandbox/faults/:id',
  '/sandbox/accounts',
  '/sandbox/requests',
];
const target = fc
  .tuple(
    fc.constantFrom(...Object.values(METHODS).map((row) => row.path), ...OTHER_PATHS),
    fc.array(segment, { minLength: 3, maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'timeMin',
        'timeMax',
        'maxResults',
        'pageToken',
        'syncToken',
        'singleEvents',
        'showDeleted',
        'orderBy',
        'q',
        'timeZone',
        'iCalUID',
        'privateExtendedProperty',
        'updatedMin',
        'maxAttendees',
        'sendUpdates',
        'conferenceDataVersion',
        'destination',
        'fields',
        'eventTypes',
        'client_id',
        'redirect_uri',
        'scope',
        'response_type',
        'prompt',
        'access_type',
        'week',
        'email',
        'calendarId',
        'token',
      ),
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          'true',
          'false',
          'startTime',
          'updated',
          'all',
          '2027-01-11T09:00:00Z',
          '2027-03-11T09:00:00Z',
          '1',
          '2500',
          'items(id',
          'items/id,kind',
          'W10',
          'WyJwIiwxLDEsMV0',
          'a=b',
          'none',
          'code',
          'openid',
          CLIENT.clientId,
          REDIRECT,
          'Europe/Berlin',
          '2027-01-11',
        ),
      ),
      { maxKeys: 5 },
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      fc.constantFrom('/', '//', '/extra', '%00'),
    ),
  )
  .map(([path, segments, query, tail]) => {
    let index = 0;
    const filled = path.replace(/:\w+/g, () => segments[index++] ?? 'x');
    return `${filled}${tail}?${new URLSearchParams(query)}`;
  });
const headers = fc.record(
  {
    authorization: fc.constantFrom(
      'good',
      'good',
      'good',
      'Bearer',
      'Bearer x',
      'Basic Og==',
      'Basic %',
      '',
    ),
    'content-type': fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      '',
    ),
    'if-match': fc.constantFrom('*', '"1"', '', 'W/"x", "y"'),
    'if-none-match': fc.constantFrom('*', '"1"', ''),
    cookie: fc.constantFrom('google_sandbox_session=1', ';;=', 'google_sandbox_session='),
    'x-odd': fc.constantFrom('\u00ff\u00fe', 'x'.repeat(5_000)),
  },
  { requiredKeys: ['authorization'] },
);
const shot: fc.Arbitrary<Shot> = fc.record({
  method: fc.constantFrom(
    'GET',
    'GET',
    'POST',
    'POST',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'HEAD',
    'OPTIONS',
  ),
  target,
  headers,
  body,
});

/** Fires one request; resolves with its status and the mark of a bug, if there is one. */
function fire(each: Shot): Promise<{ status: number; bug: unknown }> {
  const { authorization = '', ...rest } = each.headers;
  const port = Number(new URL(sandbox.url).port);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port,
        method: each.method,
        path: each.target,
        headers: {
          ...rest,
          authorization: authorization === 'good' ? `Bearer ${token}` : authorization,
          'content-length': String(Buffer.byteLength(each.body)),
        },
      },
      (response) => {
        response.resume();
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            bug: response.headers['x-sandbox-bug'],
          }),
        );
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(each.body);
  });
}

/** Sends raw bytes and closes; whatever comes back is not looked at. */
function sendRaw(bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectSocket(Number(new URL(sandbox.url).port), '127.0.0.1', () => {
      socket.write(bytes);
      setImmediate(() => socket.destroy());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

describe('fuzz', () => {
  test('no request makes the sandbox answer 500 or fall over', async () => {
    const total = runSize(100_000, 4_000);
    const batch = 2_000;
    const statuses = new Map<number, number>();
    for (let done = 0; done < total; done += batch) {
      const shots = fc.sample(shot, { numRuns: Math.min(batch, total - done), seed: 17 + done });
      const queue = shots.values();
      await Promise.all(
        Array.from({ length: LANES }, async () => {
          for (const each of queue) {
            const { status, bug } = await fire(each);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (status >= 500 || bug !== undefined) {
              expect.fail(`${status} ${String(bug)} for ${JSON.stringify(each)}`);
            }
          }
        }),
      );
    }
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
    // The shots go deep enough to be worth something: many kinds of answers, good ones included.
    for (const status of [200, 204, 400, 401, 404]) {
      expect([status, (statuses.get(status) ?? 0) > total / 1_000]).toEqual([status, true]);
    }
  }, 900_000);

  test('broken HTTP and cut connections leave it standing', async () => {
    const pieces = [
      'GET',
      'GET / HTTP/1.1\r\n',
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant_type=',
      'POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
      'BREW /coffee HTCPCP/1.0\r\n\r\n',
      '\u0000\u0001\u0002',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'y'.repeat(100_000)}\r\n\r\n`,
      'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'POST /token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    ];
    for (let round = 0; round < 20; round += 1) await Promise.all(pieces.map(sendRaw));
    const big = 'x'.repeat(11 * 1024 * 1024);
    const tooBig = await fire({ method: 'POST', target: '/token', headers: {}, body: big });
    expect(tooBig.status).toBe(413);
    const fine = await fire({ method: 'GET', target: '/', headers: {}, body: '' });
    expect(fine).toEqual({ status: 200, bug: undefined });
  });
});
