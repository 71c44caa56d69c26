import type { Database } from './database.ts';
import { dialectOf } from './dialect.ts';
import type { PostgresLook } from './postgres-look.ts';
import type { SqliteLook } from './sqlite-look.ts';

export { BoundedMap, CachedLookup } from './cached-lookup.ts';
export { insertRow, readCompiled, writeCompiled } from './compiled-statements.ts';
export type { CommitWhen, Database } from './database.ts';
export type { MigrationState } from './look.ts';
export { PackedTexts } from './packed-texts.ts';
export { type Page, type PageWanted, readPage } from './pages.ts';
export type { PostgresLook, PostgresServer } from './postgres-look.ts';
export type * from './schema.ts';
export type { SqliteDisk, SqliteLook } from './sqlite-look.ts';
export type { Transaction } from './transaction.ts';

/** Opens the database that the URL names, and brings its tables up to date. */
export async function openDatabase(databaseUrl: string): Promise<Database> {
  // Loaded on demand: a SQLite installation never pays for the PostgreSQL driver.
  if (dialectOf(databaseUrl) === 'sqlite') {
    const { openSqlite } = await import('./sqlite.ts');
    return openSqlite(databaseUrl);
  }
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(databaseUrl);
}

/**
 * Looks at the database that the URL names, as it is: nothing is migrated, written or made. What it
 * gives holds a database that refuses to write; close it.
 *
 * @param timeoutMs longest wait for one answer of PostgreSQL
 * @throws what the driver throws when PostgreSQL cannot be reached
 */
export async function lookAtDatabase(
  databaseUrl: string,
  timeoutMs: number,
): Promise<SqliteLook | PostgresLook> {
  if (dialectOf(databaseUrl) === 'sqlite') {
    const { lookAtSqlite } = await import('./sqlite-look.ts');
    return lookAtSqlite(databaseUrl);
  }
  const { lookAtPostgres } = await import('./postgres-look.ts');
  return lookAtPostgres(databaseUrl, timeoutMs);
}

// SQLite's extended result codes (https://sqlite.org/rescode.html) and PostgreSQL's SQLSTATEs.
const uniqueViolations: readonly unknown[] = [2067, 1555, '23505'];
const triggerAbort = 1811;
const exclusionViolation = '23P01';

/** Whether a write was refused because the row's unique key is taken. */
export function isUniqueViolation(error: unknown): boolean {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  return uniqueViolations.includes(errcode) || uniqueViolations.includes(code);
}

/** Whether a claim was refused because it overlaps another (the guard of design §5). */
export function isOverlapViolation(error: unknown): boolean {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  return errcode === triggerAbort || code === exclusionViolation;
}
