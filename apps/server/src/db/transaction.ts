import type { CompiledQuery, Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Reads of committed rows. */
export type Reader = Pick<Kysely<Schema>, 'selectFrom' | 'executeQuery' | 'getExecutor'>;

/** Reads and writes inside a transaction. */
export type Transaction = Reader &
  Pick<Kysely<Schema>, 'insertInto' | 'updateTable' | 'deleteFrom'> & {
    /** Runs a compiled statement that returns no rows, and tells how many it wrote. */
    write(query: CompiledQuery): number | Promise<number>;
    /**
     * Holds others who lock the same name back until this transaction ends. SQLite has one writer
     * anyway; PostgreSQL takes the lock that claims of a calendar take, too (migration 0003).
     */
    lock(name: string): Promise<void>;
  };
