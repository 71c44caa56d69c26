import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createTestDatabase } from './support/databases.ts';
import { bootstrapKey, openTestApp } from './support/test-app.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test('a booking under way is answered before the server ends', async () => {
  const database = await createTestDatabase('sqlite');
  ends.push(() => database.drop());
  const server = await openTestApp({
    dialect: 'sqlite',
    database,
    retry: { budgetMs: 5_000, firstPauseMs: 5, maxPauseMs: 20 },
  });
  ends.push(() => server.sandbox.close());
  const bot = await server.connectedBot();
  const slow = server.sandbox.faults.add({
    route: 'events.insert',
    times: 1,
    fault: { kind: 'hang', ms: 500 },
  });
  const answer = server.call('POST', `/api/calendar/create-event/${bot}`, {
    customerName: 'Alan Turing',
    email: 'alan@example.org',
    date: '2027-06-01',
    time: '10:00',
  });
  await expect.poll(() => slow.hits).toBe(1);
  await server.app.close();
  expect((await answer).status).toBe(201);
});

test('an answer from memory that leaves while the server stops ends its connection', async () => {
  const server = await openTestApp({ dialect: 'sqlite' });
  ends.push(() => server.sandbox.close());
  const bot = await server.connectedBot();
  // Answers that took the usual way are logged with a request id.
  const comesFromMemory = async () => {
    await server.call('GET', `/api/calendar/status/${bot}`);
    return !server.log.at(-1)?.includes('requestId');
  };
  await expect.poll(comesFromMemory).toBe(true);
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  // Stopping begins when the request has been taken and its answer has not left yet.
  server.app.http.server.once('request', () => server.app.http.server.close());
  socket.write(
    `GET /api/calendar/status/${bot} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${bootstrapKey}\r\n\r\n`,
  );
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received).toMatch(/\r\nconnection: close\r\n/i);
  expect(received).toContain('"status":"connected"');
  await server.app.close();
});
