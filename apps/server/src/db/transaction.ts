import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Reads of committed rows. */
export type Reader = Pick<Kysely<Schema>, 'selectFrom' | 'executeQuery' | 'getExecutor'>;

/** Reads and writes inside a transaction. */
export type Transaction = Reader &
  Pick<Kysely<Schema>, 'insertInto' | 'updateTable' | 'deleteFrom'>;
