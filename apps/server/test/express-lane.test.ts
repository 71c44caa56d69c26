import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { bootstrapKey, openTestApp, type TestApp } from './support/test-app.ts';

/** Lines of answers that took the usual way carry a request id; those of the express lane do not. */
function waysTaken(server: TestApp): string[] {
  return server.log
    .map((line) => JSON.parse(line))
    .filter((line) => line.route === '/api/calendar/status/:botId')
    .map((line) => (line.requestId ? 'framework' : 'express'));
}

describeOnEachDatabase('express lane', (dialect) => {
  let server: TestApp;
  let bot: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    bot = await server.connectedBot();
  });
  afterAll(() => server.close());

  const status = (id: string, key?: string | null, suffix = '') => {
    server.log.length = 0;
    return server.call('GET', `/api/calendar/status/${id}${suffix}`, undefined, key);
  };

  test('answers what is in memory, byte for byte as the framework does', async () => {
    const first = await status(bot);
    expect(waysTaken(server)).toEqual(['framework']);
    // The news of the connection may still be on its way, and end what is in memory once.
    let second = first;
    await expect
      .poll(async () => {
        second = await status(bot);
        return waysTaken(server);
      })
      .toEqual(['express']);
    expect(second.status).toBe(200);
    expect(second.text).toBe(first.text);
    const headers = (answer: typeof first) =>
      [...answer.headers].filter(([name]) => name !== 'date').sort();
    expect(headers(second)).toEqual(headers(first));
  });

  test('logs the bot and the key of what it answered', async () => {
    await status(bot);
    await status(bot);
    const line = JSON.parse(server.log.at(-1) ?? '{}');
    expect(line).toMatchObject({ botId: bot, keyId: 'bootstrap', status: 200, msg: 'request' });
    expect(server.log.join()).not.toContain(bootstrapKey);
  });

  test('lets nobody through who would not get through the framework', async () => {
    await status(bot);
    const stranger = `chk_bootstrap_${'x'.repeat(43)}`;
    expect((await status(bot, null)).status).toBe(401);
    expect((await status(bot, stranger)).status).toBe(401);
    const narrow = await server.call('POST', '/api/keys', { name: 'n', scopes: ['slots:read'] });
    expect((await status(bot, String(narrow.body.secret))).status).toBe(403);
    expect((await status(bot, String(narrow.body.secret))).status).toBe(403);
    const foreign = await server.call('POST', '/api/keys', { name: 'f', botIds: ['bot-other'] });
    expect((await status(bot, String(foreign.body.secret))).status).toBe(404);
    expect((await status(bot, String(foreign.body.secret))).status).toBe(404);
    expect(waysTaken(server)).toEqual(['framework']);
  });

  test('forgets a key that is revoked, one that expires, and a bot that is disconnected', async () => {
    const key = await server.call('POST', '/api/keys', { name: 'k', scopes: ['status:read'] });
    const secret = String(key.body.secret);
    await status(bot, secret);
    await status(bot, secret);
    expect(waysTaken(server)).toEqual(['express']);
    const { id } = key.body.apiKey as { id: string };
    await server.call('DELETE', `/api/keys/${id}`);
    expect((await status(bot, secret)).status).toBe(401);

    const expiresAt = server.sandbox.clock.now() + 60_000;
    const brief = await server.call('POST', '/api/keys', {
      name: 'b',
      scopes: ['status:read'],
      expiresAt,
    });
    await status(bot, String(brief.body.secret));
    expect((await status(bot, String(brief.body.secret))).status).toBe(200);
    server.sandbox.clock.advance(60_000);
    expect((await status(bot, String(brief.body.secret))).status).toBe(401);

    expect((await status(bot)).body.status).toBe('connected');
    await server.call('POST', `/api/calendar/disconnect/${bot}`);
    expect((await status(bot)).body.status).toBe('not_connected');
  });

  test('leaves everything else to the framework', async () => {
    await status(bot);
    await status(bot, undefined, '?x=1');
    expect(waysTaken(server)).toEqual(['framework']);
    server.log.length = 0;
    expect((await server.call('POST', `/api/calendar/status/${bot}`)).status).toBe(405);
  });
});
