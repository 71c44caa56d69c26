import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../src/index.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

const EVENTS = '/calendar/v3/calendars/primary/events';

test('each request is logged with its own target and headers, also when it is like another', async () => {
  sandbox.requests.clear();
  const sent = [
    ['?q=a', 'one'],
    ['?q=a', 'two'],
    ['?q=b', 'two'],
    ['?q=b', 'two'],
    ['', 'one'],
  ] as const;
  for (const [query, marker] of sent) {
    await fetch(`${sandbox.url}${EVENTS}${query}`, { headers: { 'x-marker': marker } });
  }
  expect(
    sandbox.requests
      .of('events.list')
      .map(({ path, query, headers, status }) => [path, query, headers['x-marker'], status]),
  ).toEqual([
    [EVENTS, { q: 'a' }, 'one', 401],
    [EVENTS, { q: 'a' }, 'two', 401],
    [EVENTS, { q: 'b' }, 'two', 401],
    [EVENTS, { q: 'b' }, 'two', 401],
    [EVENTS, {}, 'one', 401],
  ]);
});

test('requests that arrive together are each answered with their own answer', async () => {
  sandbox.faults.clear();
  for (const status of [418, 429, 503]) {
    sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'status', status, body: `${status}` },
    });
  }
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const response = await fetch(`${sandbox.url}${EVENTS}`);
      return { status: response.status, body: await response.text() };
    }),
  );
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
    ...Array<number>(37).fill(401),
    418,
    429,
    503,
  ]);
  for (const { status, body } of answers) {
    expect(status === 401 ? JSON.parse(body).error.code : Number(body)).toBe(status);
  }
});
