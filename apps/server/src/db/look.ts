import { type Kysely, sql } from 'kysely';
import { ChangeFeed } from './change-feed.ts';
import type { Database } from './database.ts';
import type { DialectName } from './dialect.ts';
import { migrationNames } from './migrate.ts';
import type { Schema } from './schema.ts';

/** Where the tables of a database stand, against what this program knows. */
export interface MigrationState {
  /** Not run yet, in their order; all of them where there are no tables. */
  readonly missing: readonly string[];
  /** Run by a newer program. */
  readonly unknown: readonly string[];
}

class NoChanges extends ChangeFeed {
  readonly hearsUnannounced = false;
  readonly reliable = false;
  announce(): Promise<void> {
    return Promise.reject(new Error('This database is only looked at.'));
  }
  async close(): Promise<void> {}
}

/** A database for the readers of rooms, with its tables as they are; it refuses to write. */
export function readOnlyDatabase(
  dialect: DialectName,
  db: Kysely<Schema>,
  close: () => Promise<void>,
): Database {
  return {
    dialect,
    migrated: [],
    read: db,
    changes: new NoChanges(),
    transaction: () => Promise.reject(new Error('This database is only looked at.')),
    async ping() {
      await sql`select 1`.execute(db);
    },
    close,
  };
}

/** Compares the migrations that ran with those of this program; runs none. */
export async function migrationState(
  dialect: DialectName,
  db: Kysely<Schema>,
): Promise<MigrationState> {
  const found = await (dialect === 'sqlite'
    ? sql`select 1 from sqlite_schema where name = 'kysely_migration'`
    : sql`select 1 where to_regclass('kysely_migration') is not null`
  ).execute(db);
  if (found.rows.length === 0) return { missing: migrationNames, unknown: [] };
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const run = new Set(rows.map(({ name }) => name));
  return {
    missing: migrationNames.filter((name) => !run.has(name)),
    unknown: [...run].filter((name) => !migrationNames.includes(name)).sort(),
  };
}
