import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OAuthTransport } from './oauth-transport.ts';

const cap = 64;

describe('the transport of OAuth calls', () => {
  const held: ServerResponse[] = [];
  let most = 0;
  const server = createServer((request, response) => {
    request.resume();
    held.push(response);
    most = Math.max(most, held.length);
    // In a later turn, so that whoever came too many would have been counted.
    if (held.length === cap) setImmediate(() => setImmediate(release));
  });
  const release = () => {
    for (const response of held.splice(0)) response.end('{}');
  };
  const transport = new OAuthTransport();
  let url: string;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?x=1`;
  });
  afterAll(async () => {
    await transport.close();
    server.close();
  });

  const call = (signal?: AbortSignal) =>
    transport.fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({ a: 'b' }),
      redirect: 'manual',
      ...(signal ? { signal } : {}),
    });

  test(`has at most ${cap} of them under way`, async () => {
    const answers = await Promise.all(Array.from({ length: 3 * cap }, () => call()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(most).toBe(cap);
  });

  test('gives up when it is told to', async () => {
    await expect(call(AbortSignal.timeout(50))).rejects.toThrow(/timeout/i);
    release();
  });
});
