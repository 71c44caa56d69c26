import { Agent, request as httpRequest } from 'node:http';
import { connect as connectSocket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../src/index.ts';
import { type Shot, shot } from './fuzz-shots.ts';
import { ADA, CALENDAR_SCOPE, connect, startTestSandbox } from './google-client.ts';
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
