import type { CompiledQuery, Insertable } from 'kysely';
import type { Schema } from './schema.ts';
import type { Transaction } from './transaction.ts';

/** Compiled inserts by table and columns, apart for each database (its adapter tells them apart). */
const compiled = new WeakMap<object, Map<string, CompiledQuery>>();

function compiledFor(adapter: object): Map<string, CompiledQuery> {
  const known = compiled.get(adapter);
  if (known) return known;
  const fresh = new Map<string, CompiledQuery>();
  compiled.set(adapter, fresh);
  return fresh;
}

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
  const statements = compiledFor(tx.getExecutor().adapter);
  const shape = `${table} ${Object.keys(row)}`;
  let query = statements.get(shape);
  if (!query) {
    query = tx.insertInto(table).values(row).compile();
    statements.set(shape, query);
  }
  await tx.executeQuery({ ...query, parameters: Object.values(row) });
}
