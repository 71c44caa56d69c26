import type { calendar_v3 } from '@googleapis/calendar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  BOB,
  connect,
  halfHour,
  MONDAY,
  reasonOf,
  startTestSandbox,
} from '../google-client.ts';
import { type PushReceiver, startPushReceiver } from '../push-receiver.ts';

let sandbox: Sandbox;
let receiver: PushReceiver;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox({ switches: { pushToLoopback: true } });
  receiver = await startPushReceiver();
  ({ api } = await connect(sandbox));
});
afterEach(async () => {
  await sandbox.close();
  await receiver.close();
});

async function watch(more: Partial<calendar_v3.Schema$Channel> = {}) {
  const requestBody = { id: 'channel-1', type: 'web_hook', address: receiver.url, ...more };
  const { data } = await api.events.watch({ calendarId: 'primary', requestBody });
  await sandbox.pushIdle();
  return data;
}

async function change(): Promise<void> {
  sandbox.putEvent(ADA, { ...halfHour(MONDAY) });
  await sandbox.pushIdle();
}

const states = () => receiver.received.map(({ headers }) => headers['x-goog-resource-state']);
const numbers = () =>
  receiver.received.map(({ headers }) => Number(headers['x-goog-message-number']));

describe('I. Push', () => {
  test('67 watch opens a channel: sync first, then exists with all headers and no body', async () => {
    for (const address of ['http://example.com/push', 'ftp://example.com', 'nonsense']) {
      expect(await reasonOf(watch({ address }))).toMatchObject({
        status: 400,
        reason: 'push.webhookUrlNotHttps',
      });
    }
    sandbox.set({ pushToLoopback: false });
    expect((await reasonOf(watch())).status).toBe(400);
    sandbox.set({ pushToLoopback: true });
    expect((await reasonOf(watch({ id: 'x'.repeat(65) }))).status).toBe(400);
    expect((await reasonOf(watch({ token: 'x'.repeat(257) }))).status).toBe(400);
    expect((await reasonOf(watch({ type: 'carrier_pigeon' }))).status).toBe(400);
    const secure = await api.events.watch({
      calendarId: 'primary',
      requestBody: { id: 'https-1', type: 'web_hook', address: 'https://127.0.0.1:9/push' },
    });
    expect(secure.status).toBe(200);

    const expiration = Date.now() + 3_600_000;
    const channel = await watch({ token: 'secret=1', expiration: String(expiration) });
    expect(channel).toEqual({
      kind: 'api#channel',
      id: 'channel-1',
      resourceId: expect.stringMatching(/^[\w-]{20,}$/),
      resourceUri: expect.stringContaining('/calendar/v3/calendars/ada%40example.com/events'),
      token: 'secret=1',
      expiration: String(expiration),
    });
    await change();
    await change();
    expect(states()).toEqual(['sync', 'exists', 'exists']);
    expect(numbers()[0]).toBe(1);
    expect(numbers()).toEqual([...new Set(numbers())].sort((a, b) => a - b));
    for (const { headers, body, method } of receiver.received) {
      expect([method, body, headers['content-length']]).toEqual(['POST', '', '0']);
      expect(headers).toMatchObject({
        'x-goog-channel-id': 'channel-1',
        'x-goog-channel-token': 'secret=1',
        'x-goog-channel-expiration': new Date(expiration).toUTCString(),
        'x-goog-resource-id': channel.resourceId,
        'x-goog-resource-uri': channel.resourceUri,
        'user-agent': expect.stringContaining('APIs-Google'),
      });
    }
    expect(await reasonOf(watch())).toMatchObject({ status: 400, reason: 'channelIdNotUnique' });
  });

  test('68 retries, loss, expiry, stop and drop rate', async () => {
    const channel = await watch({ expiration: String(Date.now() + 7_200_000) });
    receiver.answerWith(503);
    await change();
    expect(receiver.received).toHaveLength(2);
    // Back-off on the clock: one second, then two, then four.
    for (const [wait, count] of [
      [800, 2],
      [200, 3],
      [1_700, 3],
      [300, 4],
    ] as const) {
      sandbox.clock.advance(wait);
      await sandbox.pushIdle();
      expect([wait, receiver.received.length]).toEqual([wait, count]);
    }
    receiver.answerWith(200);
    sandbox.clock.advance(4_000);
    await sandbox.pushIdle();
    expect(receiver.received).toHaveLength(5);
    expect(new Set(numbers().slice(1)).size).toBe(1);
    sandbox.clock.advance(600_000);
    await sandbox.pushIdle();
    expect(receiver.received).toHaveLength(5);

    receiver.answerWith(404);
    await change();
    sandbox.clock.advance(600_000);
    await sandbox.pushIdle();
    expect(receiver.received).toHaveLength(6);

    receiver.answerWith(200);
    sandbox.set({ pushDropRate: 1 });
    await change();
    expect(receiver.received).toHaveLength(6);
    sandbox.set({ pushDropRate: 0 });
    await change();
    expect(receiver.received).toHaveLength(7);

    const { id = '', resourceId = '' } = channel;
    const bob = await connect(sandbox, { account: BOB });
    const asBob = bob.api.channels.stop({ requestBody: { id, resourceId } });
    expect(await reasonOf(asBob)).toMatchObject({ status: 404, reason: 'notFound' });
    const stopped = await api.channels.stop({ requestBody: { id, resourceId } });
    expect([stopped.status, stopped.data]).toEqual([204, '']);
    await change();
    expect(receiver.received).toHaveLength(7);
    expect((await reasonOf(api.channels.stop({ requestBody: { id, resourceId } }))).status).toBe(
      404,
    );

    await watch({ id: 'channel-2', expiration: String(sandbox.clock.now() + 60_000) });
    expect(receiver.received).toHaveLength(8);
    sandbox.clock.advance(60_001);
    await change();
    expect(receiver.received).toHaveLength(8);
    expect(sandbox.channels()).toEqual([]);

    // A channel outlives its grant, unless told otherwise.
    await watch({ id: 'channel-3' });
    sandbox.revokeGrants(ADA);
    await change();
    expect(receiver.received).toHaveLength(10);
    sandbox.set({ pushOutlivesGrant: false });
    await change();
    expect(receiver.received).toHaveLength(10);
  });
});
