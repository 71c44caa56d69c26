import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const [ada, grace] = ['ada@example.com', 'grace@example.com'];
const day = 24 * 3_600_000;

describeOnEachDatabase('a bot whose tokens do not open', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    botId = await server.connectedBot(ada);
    await runSql(
      server.database,
      `update google_tokens set refresh_token = access_token where client_id = '${botId}'`,
    );
    server.sandbox.requests.clear();
  });

  const refused = { status: 424, body: { success: false, code: 'calendar_grant_unreadable' } };
  const expectBooks = async (id: string) =>
    expect((await book(server, id, bookingOf())).status).toBe(201);

  test('is refused by name, without a call to Google; others are not', async () => {
    const other = await server.connectedBot(grace);
    server.sandbox.requests.clear();
    const webhook = { botId, type: 'appointment', formData: bookingOf() };
    for (const answer of [
      await book(server, botId, bookingOf()),
      await server.call('POST', '/api/webhook/appointment', webhook),
    ]) {
      expect(answer).toMatchObject(refused);
      expect(answer.text).not.toMatch(/v1\.|refresh_token/);
    }
    expect(server.sandbox.requests).toHaveLength(0);
    const log = server.log.join('');
    expect(log).toContain(`google_tokens.refresh_token of ${botId} does not open`);
    expect(log).not.toContain('v1.');
    await expectBooks(other);
  });

  test('is mended by connecting again', async () => {
    expect(await book(server, botId, bookingOf())).toMatchObject(refused);
    const link = await server.call('POST', `/api/calendar/connect/${botId}`);
    const page = await connectAs(server.sandbox, String(link.body.url), { account: ada });
    expect(page.status).toBe(200);
    await expectBooks(botId);
  });

  test('is disconnected as any other; its grant cannot be revoked, which is told', async () => {
    await runSql(server.database, `delete from google_tokens where client_id <> '${botId}'`);
    const answer = await server.call('POST', `/api/calendar/disconnect/${botId}`);
    expect(answer).toMatchObject({ status: 200, body: { connected: false } });
    const left = await runSql(server.database, 'select client_id from google_tokens');
    expect(left).toEqual([]);
    expect(server.sandbox.requests.of('revoke')).toEqual([]);
    expect(server.log.join('')).toContain('grant could not be revoked at Google');
  });

  test('keeps no other grant from being kept alive', async () => {
    const other = await server.connectedBot(grace);
    server.sandbox.clock.advance(31 * day);
    await runSql(
      server.database,
      `update google_tokens set refreshed_at = 0 where client_id = '${botId}'`,
    );
    server.log.length = 0;
    await server.app.care.pass();
    const [row] = await runSql(
      server.database,
      `select refreshed_at from google_tokens where client_id = '${other}'`,
    );
    expect(Number(row?.refreshed_at)).toBeGreaterThan(server.sandbox.clock.now() - day);
    expect(server.log.join('')).toContain(`google_tokens.refresh_token of ${botId}`);
  });
});
