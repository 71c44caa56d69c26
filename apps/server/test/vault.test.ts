import { startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, startOfTests, type TestApp } from './support/test-app.ts';

const ringOf = (...ids: string[]) => ({
  CALHOOK_ENCRYPTION_KEYS: ids
    .map((id) => `${id}:${Buffer.alloc(32, id).toString('base64')}`)
    .join(','),
});

describeOnEachDatabase('the vault', (dialect) => {
  let database: TestDatabase;
  let sandbox: TestApp['sandbox'];
  let botId: string;
  const open = (environment: Record<string, string>) =>
    openTestApp({ dialect, database, sandbox, environment });
  const during = async (
    environment: Record<string, string>,
    work: (server: TestApp) => unknown,
  ) => {
    const server = await open(environment);
    try {
      await work(server);
    } finally {
      await server.close();
    }
  };
  const envelopes = () =>
    runSql(database, 'select client_id, access_token, refresh_token from google_tokens');

  beforeAll(async () => {
    database = await createTestDatabase(dialect);
    sandbox = await startSandbox({ accounts: [{ email: 'ada@example.com' }], now: startOfTests });
    await during(ringOf('first'), async (server) => {
      botId = await server.connectedBot();
    });
  });
  afterAll(async () => {
    await sandbox.close();
    await database.drop();
  });

  test('seals both tokens under the active key', async () => {
    for (const row of await envelopes()) {
      expect(row.access_token).toMatch(/^v1\.first\.[\w-]{16}\.[\w-]+$/);
      expect(row.refresh_token).toMatch(/^v1\.first\.[\w-]{16}\.[\w-]+$/);
    }
  });

  test.each([
    [
      'other bytes under the same id',
      { CALHOOK_ENCRYPTION_KEYS: `first:${Buffer.alloc(32, 9).toString('base64')}` },
      'is not the one that data was encrypted with',
    ],
    ['another key alone', ringOf('second'), 'lacks the key "first"'],
    [
      'a short key',
      { CALHOOK_ENCRYPTION_KEYS: `first:${Buffer.alloc(31).toString('base64')}` },
      'of 31 bytes',
    ],
    ['no key', { CALHOOK_ENCRYPTION_KEYS: '' }, 'is missing'],
  ])('refuses to start with %s', async (_, environment, why) => {
    await expect(open(environment)).rejects.toThrow(why);
    await during(ringOf('first'), async (server) => {
      expect((await book(server, botId, bookingOf())).status).toBe(201);
    });
  });

  test('opens old envelopes and seals new ones when a key is put in front', async () => {
    await during(ringOf('second', 'first'), async (server) => {
      expect((await book(server, botId, bookingOf())).status).toBe(201);
      sandbox.clock.advance(3_600_000);
      expect((await book(server, botId, bookingOf())).status).toBe(201);
    });
    const [row] = await envelopes();
    expect(row?.access_token).toMatch(/^v1\.second\./);
    await expect(open(ringOf('second'))).rejects.toThrow('lacks the key "first"');
    await expect(open(ringOf('first'))).rejects.toThrow('lacks the key "second"');
  });

  test('does not open a token that was copied to another bot or column', async () => {
    await during(ringOf('second', 'first'), async (server) => {
      const thief = await server.connectedBot();
      const [stolen] = await runSql(
        database,
        `select access_token, refresh_token from google_tokens where client_id = '${botId}'`,
      );
      const moves = [
        `update google_tokens set access_token = '${stolen?.access_token}' where client_id = '${thief}'`,
        `update google_tokens set access_token = refresh_token where client_id = '${thief}'`,
      ];
      for (const move of moves) {
        await runSql(database, move);
        await during(ringOf('second', 'first'), async (fresh) => {
          sandbox.requests.clear();
          const answer = await book(fresh, thief, bookingOf());
          expect(answer).toMatchObject({
            status: 424,
            body: { code: 'calendar_grant_unreadable' },
          });
          expect(answer.text).not.toContain('v1.');
          const log = fresh.log.join('');
          expect(log).toContain(`google_tokens.access_token of ${thief} does not open`);
          expect(log).not.toContain(String(stolen?.access_token));
          expect(sandbox.requests).toHaveLength(0);
        });
      }
    });
  });
});
