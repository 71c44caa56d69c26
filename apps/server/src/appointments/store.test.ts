import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../db/index.ts';
import { claimsBetween } from './claim-store.ts';
import { findByNaturalKey } from './store.ts';

let directory: string;
let database: Database;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calhook-plans-'));
  database = await openDatabase(`sqlite:${join(directory, 'calhook.db')}`);
});
afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

/** How SQLite would go about what `ask` reads. */
async function planOf(ask: (read: Database['read']) => Promise<unknown>): Promise<string> {
  let asked: CompiledQuery | undefined;
  const read: Database['read'] = Object.create(database.read, {
    executeQuery: {
      value: (query: CompiledQuery) => {
        asked = query;
        return database.read.executeQuery(query);
      },
    },
    getExecutor: { value: () => database.read.getExecutor() },
    selectFrom: { value: database.read.selectFrom.bind(database.read) },
  });
  await ask(read);
  if (!asked) throw new Error('nothing was read');
  const explain = CompiledQuery.raw(`explain query plan ${asked.sql}`, [...asked.parameters]);
  const { rows } = await database.read.executeQuery<{ detail: string }>(explain);
  return rows.map(({ detail }) => detail).join('\n');
}

test('finds a standing booking by the index of natural keys, however many the bot has', async () => {
  const key = { botId: 'bot-1', email: 'alan@example.org', startsAt: 0 };
  const plan = await planOf((read) => findByNaturalKey({ ...database, read }, key));
  expect(plan).toContain(
    'INDEX appointments_natural_key (starts_at=? AND client_id=? AND customer_email=?)',
  );
});

test('reads the claims of a span from its begin on, however many came before', async () => {
  const plan = await planOf((read) => claimsBetween(read, 'sub/primary', 1_000, 2_000, 0));
  expect(plan).toContain('PRIMARY KEY (calendar=? AND starts_at>? AND starts_at<?)');
});
