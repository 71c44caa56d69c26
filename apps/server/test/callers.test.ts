import { createHash } from 'node:crypto';
import { apiKeyScopes } from '@calhook/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { bookingTraces, runSql } from './support/stored.ts';
import {
  type Answer,
  bootstrapKey,
  openTestApp,
  secretPartOf,
  type TestApp,
} from './support/test-app.ts';

const hour = 3_600_000;

describeOnEachDatabase('callers', (dialect) => {
  let server: TestApp;
  let botA: string;
  let botB: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botA = await server.connectedBot('ada@example.com');
    botB = await server.connectedBot('grace@example.com');
  });
  afterAll(() => server.close());

  const makeKey = async (wanted: Record<string, unknown> = {}, by?: string) => {
    const made = await server.call('POST', '/api/keys', { name: 'A key', ...wanted }, by);
    expect(made.status, made.text).toBe(201);
    const apiKey = made.body.apiKey as Record<string, unknown>;
    return { secret: String(made.body.secret), id: String(apiKey.id), apiKey };
  };

  const expectRefused = async (attempt: () => Promise<Answer>, status: number, code: string) => {
    const before = await bookingTraces(server);
    const answer = await attempt();
    expect(answer).toMatchObject({ status, body: { success: false, code } });
    expect(await bookingTraces(server)).toEqual(before);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    return answer;
  };

  test.each([
    ['no key', null, 'missing_api_key'],
    ['a made-up key', `chk_bootstrap_${'x'.repeat(43)}`, 'invalid_api_key'],
    ['a key of an unknown id', `chk_nobodyknows_${'x'.repeat(43)}`, 'invalid_api_key'],
    ['a cut key', bootstrapKey.slice(0, -1), 'invalid_api_key'],
    ['a key with one more sign', `${bootstrapKey}x`, 'invalid_api_key'],
    ['a key id alone', 'chk_bootstrap_', 'invalid_api_key'],
    ['a text', 'secret', 'invalid_api_key'],
    ['nothing after Bearer', '', 'invalid_api_key'],
  ])('%s books nothing', async (_, key, code) => {
    await expectRefused(() => book(server, botA, bookingOf(), key), 401, code);
  });

  test.each([
    ['Basic', `Basic ${Buffer.from(`x:${bootstrapKey}`).toString('base64')}`],
    ['Token', `Token ${bootstrapKey}`],
    ['no scheme', bootstrapKey],
    ['the key twice', `Bearer ${bootstrapKey} ${bootstrapKey}`],
  ])('the header form "%s" books nothing', async (_, authorization) => {
    const attempt = () =>
      server.send(`/api/calendar/create-event/${botA}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(bookingOf()),
      });
    await expectRefused(attempt, 401, 'invalid_api_key');
  });

  test('the scheme is read in any case', async () => {
    const answer = await server.send(`/api/calendar/status/${botA}`, {
      headers: { authorization: `bearer ${bootstrapKey}` },
    });
    expect(answer.status).toBe(200);
  });

  test('a key that is limited to bot B books nothing for bot A, and books for bot B', async () => {
    const key = await makeKey({ botIds: [botB] });
    await expectRefused(() => book(server, botA, bookingOf(), key.secret), 404, 'bot_not_found');
    expect((await book(server, botB, bookingOf(), key.secret)).status).toBe(201);
  });

  test.each([
    ['GET', '/api/calendar/status/BOT'],
    ['POST', '/api/calendar/connect/BOT'],
    ['POST', '/api/calendar/disconnect/BOT'],
    ['POST', '/api/calendar/create-event/BOT'],
    ['GET', '/api/calendar/appointments/BOT'],
    ['GET', '/api/calendar/appointments/BOT/apt-1'],
    ['GET', '/api/bots/BOT'],
    ['PATCH', '/api/bots/BOT'],
    ['DELETE', '/api/bots/BOT'],
  ])(
    '%s %s answers a foreign bot and an unknown one alike, byte for byte',
    async (method, path) => {
      const key = await makeKey({ botIds: [botB] });
      const body =
        method === 'PATCH' ? { name: 'Mine' } : path.includes('create') ? bookingOf() : undefined;
      const ask = (botId: string, by?: string) =>
        server.call(method, path.replace('BOT', botId), body, by);
      const foreign = await ask(botA, key.secret);
      const unknown = await ask('bot-nowhere', key.secret);
      const unknownToAll = await ask('bot-nowhere', bootstrapKey);
      expect(foreign).toMatchObject({
        status: 404,
        body: { code: 'bot_not_found', connected: false, expired: false },
      });
      const shape = ({ status, text, headers }: Answer) => [
        status,
        text,
        headers.get('content-type'),
      ];
      expect(shape(unknown)).toEqual(shape(foreign));
      expect(shape(unknownToAll)).toEqual(shape(foreign));
      expect((await server.call('GET', `/api/bots/${botA}`)).status).toBe(200);
    },
  );

  test('each scope opens its own routes and no others', async () => {
    const routes: [string, string, string][] = [
      ['status:read', 'GET', `/api/calendar/status/${botA}`],
      ['appointments:read', 'GET', `/api/calendar/appointments/${botA}`],
      ['appointments:write', 'POST', `/api/calendar/create-event/${botA}`],
      ['bots:manage', 'GET', `/api/bots/${botA}`],
      ['connections:manage', 'POST', `/api/calendar/connect/${botA}`],
      ['keys:manage', 'GET', '/api/keys'],
    ];
    for (const scope of apiKeyScopes) {
      const key = await makeKey({ scopes: [scope] });
      for (const [needed, method, path] of routes) {
        const body = needed === 'appointments:write' ? bookingOf() : undefined;
        const answer = await server.call(method, path, body, key.secret);
        if (scope === needed) expect(answer.status, `${scope} on ${path}`).toBeLessThan(300);
        else {
          expect(answer, `${scope} on ${path}`).toMatchObject({
            status: 403,
            body: { code: 'insufficient_scope' },
          });
          expect(answer.body.detail).toContain(needed);
        }
      }
    }
  });

  test('every key may ask what it may do, and is shown itself alone', async () => {
    for (const scope of apiKeyScopes) {
      const { secret, id, apiKey } = await makeKey({ scopes: [scope], botIds: [botB] });
      const answer = await server.call('GET', '/api/keys/current', undefined, secret);
      expect(answer).toMatchObject({ status: 200, body: { id, scopes: [scope], botIds: [botB] } });
      expect(Object.keys(answer.body)).toEqual(Object.keys(apiKey));
      expect(answer.text).not.toContain(secretPartOf(secret));
    }
    const attempt = (key: string | null) => server.call('GET', '/api/keys/current', undefined, key);
    await expectRefused(() => attempt(null), 401, 'missing_api_key');
    await expectRefused(() => attempt(`chk_nobody_${'x'.repeat(43)}`), 401, 'invalid_api_key');
    const { secret, id } = await makeKey();
    await server.call('DELETE', `/api/keys/${id}`);
    await expectRefused(() => attempt(secret), 401, 'invalid_api_key');
  });

  test('a key without the scope books nothing', async () => {
    const key = await makeKey({ scopes: ['status:read', 'appointments:read'] });
    await expectRefused(
      () => book(server, botA, bookingOf(), key.secret),
      403,
      'insufficient_scope',
    );
  });

  test('a revoked key books nothing, from the next request on', async () => {
    const key = await makeKey();
    expect((await book(server, botA, bookingOf(), key.secret)).status).toBe(201);
    expect((await server.call('DELETE', `/api/keys/${key.id}`)).status).toBe(204);
    await expectRefused(() => book(server, botA, bookingOf(), key.secret), 401, 'invalid_api_key');
    expect((await server.call('DELETE', `/api/keys/${key.id}`)).status).toBe(404);
  });

  test('a key ends when it expires', async () => {
    const key = await makeKey({ expiresAt: server.sandbox.clock.now() + hour });
    expect((await book(server, botA, bookingOf(), key.secret)).status).toBe(201);
    server.sandbox.clock.advance(hour);
    await expectRefused(() => book(server, botA, bookingOf(), key.secret), 401, 'invalid_api_key');
  });

  test('keys are stored as hashes and listed without secrets', async () => {
    const key = await makeKey({ name: 'Hashed' });
    const list = await server.call('GET', '/api/keys');
    expect(list.text).toContain('"Hashed"');
    expect(list.text).not.toContain(key.secret);
    const [row] = await runSql(server.database, `select * from api_keys where id = '${key.id}'`);
    const secret = secretPartOf(key.secret);
    expect(row?.secret_hash).toBe(createHash('sha256').update(secret).digest('hex'));
  });

  test('keys tell when they were last used, after the server stopped', async () => {
    const key = await makeKey();
    await server.call('GET', `/api/calendar/status/${botA}`, undefined, key.secret);
    const listed = async () =>
      (
        (await server.call('GET', '/api/keys')).body.apiKeys as {
          id: string;
          lastUsedAt: unknown;
        }[]
      ).find(({ id }) => id === key.id);
    expect(await listed()).toMatchObject({ lastUsedAt: null });
    const second = await openTestApp({
      dialect,
      database: server.database,
      sandbox: server.sandbox,
    });
    await second.call('GET', `/api/calendar/status/${botA}`, undefined, key.secret);
    await second.close();
    expect(await listed()).toMatchObject({ lastUsedAt: expect.any(Number) });
  });

  test.each([
    ['a scope it lacks', { scopes: ['bots:manage'] }, 403],
    ['a bot it may not see', { botIds: ['BOT_A'] }, 404],
    ['one more bot', { botIds: ['BOT_A', 'BOT_B'] }, 404],
    ['all bots', {}, 404],
  ])('a limited key makes no key for %s', async (_, wanted, status) => {
    const limited = await makeKey({ botIds: [botB], scopes: ['keys:manage', 'status:read'] });
    const body = JSON.stringify({ name: 'More', ...wanted })
      .replace('BOT_A', botA)
      .replace('BOT_B', botB);
    const keys = async () => (await runSql(server.database, 'select id from api_keys')).length;
    const before = await keys();
    const answer = await server.call('POST', '/api/keys', body, limited.secret);
    expect(answer.status).toBe(status);
    expect(await keys()).toBe(before);
  });

  test('a key makes keys like itself: its scopes, its bots, its end', async () => {
    const expiresAt = server.sandbox.clock.now() + hour;
    const parent = await makeKey({
      botIds: [botB],
      scopes: ['keys:manage', 'status:read'],
      expiresAt,
    });
    const child = await makeKey({ botIds: [botB] }, parent.secret);
    expect(child.apiKey).toMatchObject({
      scopes: ['status:read', 'keys:manage'],
      botIds: [botB],
      expiresAt,
    });
    const longer = await makeKey({ botIds: [botB], expiresAt: expiresAt + 1 }, parent.secret);
    expect(longer.apiKey.expiresAt).toBe(expiresAt);
    const shorter = await makeKey({ botIds: [botB], expiresAt: expiresAt - 1 }, parent.secret);
    expect(shorter.apiKey.expiresAt).toBe(expiresAt - 1);
  });

  test('a limited key sees and revokes only keys that are limited to its bots', async () => {
    const limited = await makeKey({ botIds: [botB] });
    const other = await makeKey({ botIds: [botA] });
    const wider = await makeKey({ botIds: [botA, botB] });
    const list = await server.call('GET', '/api/keys', undefined, limited.secret);
    const ids = (list.body.apiKeys as { id: string }[]).map(({ id }) => id);
    expect(ids).toContain(limited.id);
    for (const id of [other.id, wider.id, 'bootstrap']) {
      expect(ids).not.toContain(id);
      const revoked = await server.call('DELETE', `/api/keys/${id}`, undefined, limited.secret);
      expect(revoked).toMatchObject({ status: 404, body: { code: 'api_key_not_found' } });
    }
    expect((await book(server, botA, bookingOf(), other.secret)).status).toBe(201);
  });

  test('a limited key sees its bots only, and makes no others', async () => {
    const limited = await makeKey({ botIds: [botB] });
    const list = await server.call('GET', '/api/bots', undefined, limited.secret);
    expect((list.body.bots as { id: string }[]).map(({ id }) => id)).toEqual([botB]);
    for (const body of [{ name: 'New' }, { id: 'bot-new', name: 'New' }]) {
      const made = await server.call('POST', '/api/bots', body, limited.secret);
      expect(made).toMatchObject({ status: 404, body: { code: 'bot_not_found' } });
    }
    expect((await server.call('GET', '/api/bots/bot-new')).status).toBe(404);
  });

  test('a key of bot B reads no appointment of bot A', async () => {
    const booked = await book(server, botA, bookingOf());
    const key = await makeKey({ botIds: [botB] });
    const id = booked.body.appointmentId;
    const through = (botId: string) =>
      server.call('GET', `/api/calendar/appointments/${botId}/${id}`, undefined, key.secret);
    expect(await through(botA)).toMatchObject({ status: 404, body: { code: 'bot_not_found' } });
    expect(await through(botB)).toMatchObject({
      status: 404,
      body: { code: 'appointment_not_found' },
    });
  });
});
