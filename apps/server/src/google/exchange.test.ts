import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { exchange } from './exchange.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server that answers by `answer`, a pool of one connection to it, and the paths it was asked for. */
async function oneConnection(answer: (path: string, response: ServerResponse) => void) {
  const seen: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    seen.push(url);
    answer(url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => server.close());
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    connections: 1,
  });
  ends.push(() => pool.destroy());
  const get = (path: string, timeoutMs: number) =>
    exchange(pool, { method: 'GET', path }, timeoutMs);
  return { get, seen };
}

test('reads an answer whole, in however many parts it comes', async () => {
  const text = 'ä'.repeat(100_000);
  const { get } = await oneConnection((_path, response) => {
    response.writeHead(503, { 'retry-after': '7' });
    const bytes = Buffer.from(text);
    response.write(bytes.subarray(0, 1_001));
    response.end(bytes.subarray(1_001));
  });
  expect(await get('/', 10_000)).toEqual({ status: 503, retryAfter: '7', text });
});

test('rejects when the time is over, also between the parts of an answer', async () => {
  const { get } = await oneConnection((_path, response) => void response.write('half'));
  await expect(get('/', 50)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('gives a call its whole time, to the fraction of a millisecond', async () => {
  const { get } = await oneConnection(() => {});
  for (let round = 0; round < 20; round++) {
    const begunAt = performance.now();
    await expect(get('/silent', 2.9)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - begunAt).toBeGreaterThanOrEqual(2.9);
  }
});

test('never sends what waited too long for a connection', async () => {
  const held: ServerResponse[] = [];
  const { get, seen } = await oneConnection((path, response) => {
    if (path === '/silent') held.push(response);
    else response.end('here');
  });
  const silent = get('/silent', 10_000);
  await expect.poll(() => held).toHaveLength(1);
  await expect(get('/late', 50)).rejects.toMatchObject({ name: 'TimeoutError' });
  held[0]?.end();
  await silent;
  expect(await get('/next', 10_000)).toMatchObject({ status: 200, text: 'here' });
  expect(seen).toEqual(['/silent', '/next']);
});
