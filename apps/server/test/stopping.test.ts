import { afterEach, expect, test } from 'vitest';
import { createTestDatabase } from './support/databases.ts';
import { openTestApp } from './support/test-app.ts';

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
