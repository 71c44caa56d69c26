import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

describeOnEachDatabase('booking', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  afterAll(() => server.close());

  test('books', async () => {
    const bot = await server.connectedBot();
    const answer = await server.call('POST', `/api/calendar/create-event/${bot}`, {
      customerName: 'Alan Turing',
      email: 'alan@example.org',
      date: '2027-06-01',
      time: '10:00',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ success: true, status: 'confirmed' });
  });
});
