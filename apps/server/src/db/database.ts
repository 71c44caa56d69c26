import type { ChangeFeed } from './change-feed.ts';
import type { DialectName } from './dialect.ts';
import type { Reader, Transaction } from './transaction.ts';

/**
 * When a transaction is committed: at once, or, when nobody waits for it, together with others.
 * SQLite stops the whole process for each commit; on PostgreSQL both are the same.
 */
export type CommitWhen = 'now' | 'soon';

export interface Database {
  readonly dialect: DialectName;
  /** Names of the migrations that opening ran. */
  readonly migrated: readonly string[];
  readonly read: Reader;
  /** Tells this and all other processes what to forget from their caches. */
  readonly changes: ChangeFeed;
  /**
   * Runs `work` in a transaction; what it returns is durable when the promise resolves, and
   * nothing of it is stored when the promise rejects. `work` may be repeated (PostgreSQL) and must
   * await nothing but the database (SQLite shares its writer).
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, when?: CommitWhen): Promise<T>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
