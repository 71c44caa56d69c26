import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Database } from './database.ts';
import { openSqlite } from './sqlite.ts';
import type { Transaction } from './transaction.ts';

let directory: string;
let database: Database;
let other: DatabaseSync;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calhook-sqlite-'));
  const path = join(directory, 'calhook.db');
  database = await openSqlite(`sqlite:${path}`);
  other = new DatabaseSync(path);
});
afterAll(async () => {
  other.close();
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

/** Changes with each commit that writes (https://sqlite.org/pragma.html#pragma_data_version). */
const dataVersion = () => other.prepare('pragma data_version').get()?.data_version;

let keys = 0;
const insert = (tx: Transaction) =>
  tx
    .insertInto('key_checks')
    .values({ key_id: `k${keys++}`, envelope: '', created_at: 0 })
    .execute();

test('transactions of which none succeeds write nothing to the disk', async () => {
  const before = dataVersion();
  const refused = async (tx: Transaction) => {
    await insert(tx);
    throw new Error('refused');
  };
  const outcomes = await Promise.allSettled([
    database.transaction(refused),
    database.transaction(refused),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(dataVersion()).toBe(before);
  await Promise.allSettled([database.transaction(refused), database.transaction(insert)]);
  expect(dataVersion()).not.toBe(before);
});

test('the time of a transaction that nobody waits for may come when it is stored already', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let joined: Promise<unknown> | undefined;
    await database.transaction(async (tx) => {
      await insert(tx);
      joined = database.transaction(insert, 'soon');
    });
    await joined;
    await setImmediate();
    vi.runAllTimers();
  } finally {
    vi.useRealTimers();
  }
  await database.transaction(insert);
});
