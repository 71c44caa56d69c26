import type { Database, KeyChecksTable } from '../db/index.ts';

/** The check values of all keys that data may be encrypted under. */
export async function listKeyChecks(database: Database): Promise<KeyChecksTable[]> {
  return database.read.selectFrom('key_checks').selectAll().orderBy('created_at').execute();
}

/** Stores a check value; a concurrent start that stored the same key's first is left in place. */
export async function insertKeyCheck(database: Database, check: KeyChecksTable): Promise<void> {
  await database.transaction((tx) =>
    tx
      .insertInto('key_checks')
      .values(check)
      .onConflict((conflict) => conflict.column('key_id').doNothing())
      .execute(),
  );
}
