import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const hour = 3_600_000;

describeOnEachDatabase('a connection made while an older one is refreshed', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({
      dialect,
      retry: { budgetMs: 5_000, firstPauseMs: 5, maxPauseMs: 20 },
    });
  });
  afterAll(() => server.close());

  const connect = async (bot: string, account: string) => {
    const link = await server.call('POST', `/api/calendar/connect/${bot}`);
    return connectAs(server.sandbox, String(link.body.url), { account });
  };
  const status = (bot: string) => server.call('GET', `/api/calendar/status/${bot}`);
  const book = (bot: string, time: string) =>
    server.call('POST', `/api/calendar/create-event/${bot}`, {
      customerName: 'Alan Turing',
      email: 'alan@example.org',
      date: '2027-06-01',
      time,
    });

  test('is what stays, even after a disconnect in between', async () => {
    const { sandbox } = server;
    const bot = await server.connectedBot('ada@example.com');
    sandbox.clock.advance(hour);
    const held = sandbox.faults.add({ route: 'token', times: 1, fault: { kind: 'hang', ms: 800 } });
    // The old grant outlives the disconnect, so that its refresh succeeds.
    sandbox.faults.add({ route: 'revoke', times: 1, fault: { kind: 'status', status: 503 } });
    const overtaken = book(bot, '10:00');
    await expect.poll(() => held.hits).toBe(1);
    await server.call('POST', `/api/calendar/disconnect/${bot}`);
    expect((await connect(bot, 'grace@example.com')).status).toBe(200);
    await overtaken;

    expect((await status(bot)).body).toMatchObject({
      status: 'connected',
      account: 'grace@example.com',
    });
    const later = await book(bot, '15:00');
    expect(later.status).toBe(201);
    const ids = sandbox.events('grace@example.com').map((event) => event.id);
    expect(ids).toContain(later.body.eventId);
  });

  test('with another account ends the grant of the one that is left', async () => {
    const { sandbox } = server;
    const bot = await server.connectedBot('ada@example.com');
    sandbox.requests.clear();
    expect((await connect(bot, 'grace@example.com')).status).toBe(200);
    expect(sandbox.requests.of('revoke')).toHaveLength(1);
  });

  test('with another account leaves the former one alone while a bot uses it', async () => {
    const { sandbox } = server;
    const other = await server.connectedBot('ada@example.com');
    const bot = await server.connectedBot('ada@example.com');
    sandbox.requests.clear();
    expect((await connect(bot, 'grace@example.com')).status).toBe(200);
    expect(sandbox.requests.of('revoke')).toHaveLength(0);
    expect((await book(other, '12:00')).status).toBe(201);
  });
});
