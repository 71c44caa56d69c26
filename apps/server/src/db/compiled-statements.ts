import type { CompiledQuery, Insertable } from 'kysely';
import type { Schema } from './schema.ts';
import type { Reader, Transaction } from './transaction.ts';

/** Compiled statements by name, apart for each database (its adapter tells them apart). */
const statements = new WeakMap<object, Map<string, CompiledQuery>>();

function statementOf(
  reader: Pick<Reader, 'getExecutor'>,
  name: string,
  compile: () => CompiledQuery,
): CompiledQuery {
  const { adapter } = reader.getExecutor();
  let ofDatabase = statements.get(adapter);
  if (!ofDatabase) {
    ofDatabase = new Map();
    statements.set(adapter, ofDatabase);
  }
  let query = ofDatabase.get(name);
  if (!query) {
    query = compile();
    ofDatabase.set(name, query);
  }
  return query;
}

/**
 * A write that is compiled at its first use and then only given new parameters: building and
 * compiling a statement costs several times what SQLite needs to run it.
 *
 * @param name unique for the text of the statement
 * @returns how many rows were written
 */
export async function writeCompiled(
  tx: Transaction,
  name: string,
  compile: () => CompiledQuery,
  parameters: readonly unknown[],
): Promise<number> {
  return tx.write({ ...statementOf(tx, name, compile), parameters });
}

/** A read that is compiled at its first use, as {@link writeCompiled}. */
export async function readCompiled<Row>(
  reader: Pick<Reader, 'getExecutor' | 'executeQuery'>,
  name: string,
  compile: () => CompiledQuery<Row>,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const query = statementOf(reader, name, compile) as CompiledQuery<Row>;
  return (await reader.executeQuery<Row>({ ...query, parameters })).rows;
}

/** Inserts one row, whose columns are always given in the same order. */
export async function insertRow<Table extends keyof Schema & string>(
  tx: Transaction,
  table: Table,
  row: Insertable<Schema[Table]>,
): Promise<void> {
  const name = `insert ${table} ${Object.keys(row)}`;
  const compile = () => tx.insertInto(table).values(row).compile();
  await writeCompiled(tx, name, compile, Object.values(row));
}
