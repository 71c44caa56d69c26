import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Database, openDatabase } from '../src/db/index.ts';
import { ApiKeys } from '../src/keys/keys.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { bootstrapKey, openTestApp, startOfTests, type TestApp } from './support/test-app.ts';

const minute = 60_000;

describeOnEachDatabase('the last use of a key', (dialect) => {
  let file: TestDatabase;
  let database: Database;
  let transactions = 0;
  let failing = false;
  let now = startOfTests;
  beforeAll(async () => {
    file = await createTestDatabase(dialect);
    const opened = await openDatabase(file.url);
    database = new Proxy(opened, {
      get(target, property) {
        if (property !== 'transaction') return Reflect.get(target, property, target);
        const transaction: Database['transaction'] = async (work) => {
          transactions++;
          if (failing) throw new Error('the disk is full');
          return target.transaction(work);
        };
        return transaction;
      },
    });
  });
  afterEach(() => vi.useRealTimers());
  afterAll(async () => {
    await database.close();
    await file.drop();
  });

  const used = async (id: string) => {
    const [row] = await runSql(file, `select last_used_at from api_keys where id = '${id}'`);
    return row?.last_used_at === null ? null : Number(row?.last_used_at);
  };
  /** Only the timer of the keys is moved by hand. */
  const openKeys = () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    return new ApiKeys(database, () => now);
  };

  test('is written once a minute for all requests of the minute', async () => {
    const keys = openKeys();
    const { apiKey, secret } = await keys.create({ name: 'Busy' });
    const header = `Bearer ${secret}`;
    transactions = 0;
    for (let request = 0; request < 1_000; request++) {
      now++;
      expect(keys.authenticateFromMemory(header) ?? (await keys.authenticate(header))).toBeTruthy();
    }
    expect(transactions).toBe(0);
    expect(await used(apiKey.id)).toBeNull();
    await vi.advanceTimersByTimeAsync(minute);
    await expect.poll(() => used(apiKey.id)).toBe(now);
    expect(transactions).toBe(1);
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(transactions).toBe(1);
    await keys.close();
    expect(transactions).toBe(1);
  });

  test('is written at the next minute when the database failed at this one', async () => {
    const keys = openKeys();
    const { apiKey, secret } = await keys.create({ name: 'Unlucky' });
    await keys.authenticate(`Bearer ${secret}`);
    failing = true;
    await vi.advanceTimersByTimeAsync(minute);
    failing = false;
    expect(await used(apiKey.id)).toBeNull();
    await vi.advanceTimersByTimeAsync(minute);
    await expect.poll(() => used(apiKey.id)).toBe(now);
    await keys.close();
  });

  test('is the latest one of several processes, whichever writes last', async () => {
    const first = openKeys();
    const second = new ApiKeys(database, () => now + 5 * minute);
    const { apiKey, secret } = await first.create({ name: 'Shared' });
    await second.authenticate(`Bearer ${secret}`);
    await first.authenticate(`Bearer ${secret}`);
    await second.close();
    await first.close();
    expect(await used(apiKey.id)).toBe(now + 5 * minute);
  });
});

describeOnEachDatabase('keys', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botId = await server.connectedBot();
  });
  afterAll(() => server.close());

  const make = async (wanted: Record<string, unknown>) => {
    const { body } = await server.call('POST', '/api/keys', wanted);
    return { id: (body.apiKey as { id: string }).id, secret: String(body.secret) };
  };
  const statusWith = async (key: string) =>
    (await server.call('GET', `/api/calendar/status/${botId}`, undefined, key)).status;

  test('overlap: the new one works before the old one is revoked, and after', async () => {
    const wanted = { name: 'n8n', scopes: ['status:read'], botIds: [botId] };
    const old = await make(wanted);
    const fresh = await make(wanted);
    expect(await Promise.all([statusWith(old.secret), statusWith(fresh.secret)])).toEqual([
      200, 200,
    ]);
    expect((await server.call('DELETE', `/api/keys/${old.id}`)).status).toBe(204);
    expect(await Promise.all([statusWith(old.secret), statusWith(fresh.secret)])).toEqual([
      401, 200,
    ]);
  });

  test('the secret of one does not open another, whatever is swapped', async () => {
    const [a, b] = [await make({ name: 'a' }), await make({ name: 'b' })];
    const secretOf = (key: { id: string; secret: string }) =>
      key.secret.slice(`chk_${key.id}_`.length);
    expect(await statusWith(`chk_${a.id}_${secretOf(b)}`)).toBe(401);
    expect(await statusWith(`chk_${b.id}_${secretOf(a)}`)).toBe(401);
    expect(await statusWith(a.secret)).toBe(200);
  });

  test('are found in texts by the pattern that SECURITY.md gives to scanners', async () => {
    const security = readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8');
    const [, pattern = ''] = /^ *regex = '''(.+)'''$/m.exec(security) ?? [];
    expect(security).toContain(`\`${pattern}\``);
    const scanner = () => new RegExp(pattern, 'g');
    const keys = [bootstrapKey];
    for (let i = 0; i < 20; i++) keys.push((await make({ name: `Leaked ${i}` })).secret);
    for (const key of keys) {
      for (const text of [key, `"Bearer ${key}"`, `KEY=${key}\n`, `see ${key}, and more`]) {
        expect(text.match(scanner()), text).toEqual([key]);
      }
    }
    for (const text of ['chk_bootstrap_$(openssl rand -hex 32)', 'chk_<id>_<secret>', 'chk_id_x']) {
      expect(text).not.toMatch(scanner());
    }
  });
});
