import type { CompiledQuery, Insertable } from 'kysely';
import type { Schema } from './schema.ts';
import type { Transaction } from './transaction.ts';

/** Compiled inserts by table and columns, apart for each database (its adapter tells them apart). */
const compiled = new WeakMap<object, Map<string, CompiledQuery>>();

/**
 * Inserts one row, whose columns are always given in the same order.
 *
 * The statement is compiled once: building and compiling it costs several times what SQLite needs
 * to run it, and a booking inserts four rows.
 */
export async function insertRow<Table extends keyof Schema & string>(
  tx: Transaction,
  table: Table,
  row: Insertable<Schema[Table]>,
): Promise<void> {
  const { adapter } = tx.getExecutor();
  let ofDatabase = compiled.get(adapter);
  if (!ofDatabase) compiled.set(adapter, (ofDatabase = new Map()));
  const shape = `${table} ${Object.keys(row)}`;
  let query = ofDatabase.get(shape);
  if (!query) ofDatabase.set(shape, (query = tx.insertInto(table).values(row).compile()));
  await tx.executeQuery({ ...query, parameters: Object.values(row) });
}
