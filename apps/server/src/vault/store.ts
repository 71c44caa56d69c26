import { sql } from 'kysely';
import type { Database, KeyChecksTable } from '../db/index.ts';
import type { SealedColumn } from './sealed-columns.ts';

/** The id that tells this database from others; empty in one that is older than ids. */
export async function readDatabaseId(database: Database): Promise<string> {
  const { id } = await database.read
    .selectFrom('database_identity')
    .select('id')
    .executeTakeFirstOrThrow();
  return id;
}

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

/** Forgets a key that nothing is encrypted under any more. */
export async function deleteKeyCheck(database: Database, keyId: string): Promise<void> {
  await database.transaction((tx) =>
    tx.deleteFrom('key_checks').where('key_id', '=', keyId).execute(),
  );
}

/**
 * How many envelopes of a column name each key; reads the whole column. What is no envelope counts
 * under the empty id, so that no content is shown for a key.
 */
export async function countByKey(
  database: Database,
  { table, column }: SealedColumn,
): Promise<{ keyId: string; envelopes: number }[]> {
  // `v1.<keyId>.<iv>.<ciphertext+tag>`
  const envelope = sql.ref(column);
  const keyId =
    database.dialect === 'postgres'
      ? sql<string>`split_part(${envelope}, '.', 2)`
      : sql<string>`substr(${envelope}, 4, instr(substr(${envelope}, 4), '.') - 1)`;
  const { rows } = await sql<{ key_id: string; envelopes: number }>`
    select case when ${envelope} like 'v1.%.%.%' then ${keyId} else '' end as key_id,
      count(*) as envelopes
    from ${sql.table(table)} group by 1
  `.execute(database.read);
  return rows.map((row) => ({ keyId: row.key_id, envelopes: Number(row.envelopes) }));
}

/** A stored envelope and the row that it is in. */
export interface StoredEnvelope {
  readonly row: string;
  readonly envelope: string;
}

/**
 * The next envelopes of a column that are not under the key, in the order of their rows.
 *
 * @param after the last row of those before; the empty string for the first
 */
export async function findEnvelopesNotUnder(
  database: Database,
  { table, row, column }: SealedColumn,
  keyId: string,
  after: string,
  limit: number,
): Promise<StoredEnvelope[]> {
  const under = `v1.${keyId}.`;
  const { rows } = await sql<StoredEnvelope>`
    select ${sql.ref(row)} as row, ${sql.ref(column)} as envelope from ${sql.table(table)}
    where ${sql.ref(row)} > ${after} and substr(${sql.ref(column)}, 1, ${under.length}) <> ${under}
    order by ${sql.ref(row)} limit ${limit}
  `.execute(database.read);
  return rows;
}

/** An envelope, and the one that is to stand in its place. */
export interface Replacement extends StoredEnvelope {
  readonly fresh: string;
}

/**
 * Puts envelopes in the place of others, each only while the other still stands there.
 *
 * @returns how many were replaced
 */
export async function replaceEnvelopes(
  database: Database,
  { table, row, column }: SealedColumn,
  replacements: readonly Replacement[],
): Promise<number> {
  if (replacements.length === 0) return 0;
  const values = replacements.map((one) => sql`(${one.row}, ${one.envelope}, ${one.fresh})`);
  // Both databases name the columns of a list of values like this.
  const update = sql`
    update ${sql.table(table)} set ${sql.ref(column)} = new.column3
    from (values ${sql.join(values)}) as new
    where ${sql.ref(`${table}.${row}`)} = new.column1
      and ${sql.ref(`${table}.${column}`)} = new.column2
  `;
  return database.transaction(async (tx) => tx.write(update.compile(tx)));
}
