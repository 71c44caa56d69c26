import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';
import { migrateToLatest } from './migrate.ts';
import { PostgresChangeFeed } from './postgres-change-feed.ts';
import type { Schema } from './schema.ts';

/** How long a statement, and the wait for a free connection, may take, in milliseconds. */
const statementTimeoutMs = 10_000;
const maxConnections = 16;
/** How often a transaction that the database asked to repeat is repeated. */
const maxRepeats = 5;

const int8 = 20;

/** int8 holds epoch milliseconds and counters here, all of them below 2^53. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} exceeds 2^53`);
  return value;
}

/** Serialization failure and deadlock (SQLSTATE 40001, 40P01): safe, and meant, to be repeated. */
function wantsRepeat(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === '40001' || code === '40P01';
}

/** Connects to PostgreSQL and brings its tables up to date. */
export async function openPostgres(databaseUrl: string): Promise<Database> {
  const types = new pg.TypeOverrides();
  types.setTypeParser(int8, parseInt8);
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    types,
    max: maxConnections,
    connectionTimeoutMillis: statementTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'calhook',
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would throw.
  pool.on('error', () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const changes = new PostgresChangeFeed(databaseUrl);
  let migrated: string[];
  try {
    migrated = await migrateToLatest(db, 'postgres');
    await changes.listen();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    dialect: 'postgres',
    migrated,
    read: db,
    changes,
    async transaction(work) {
      for (let repeats = 0; ; repeats++) {
        try {
          return await db.transaction().execute((tx) =>
            work(
              Object.assign(tx, {
                async write(query: CompiledQuery) {
                  const { numAffectedRows = 0n } = await tx.executeQuery(query);
                  return Number(numAffectedRows);
                },
                async lock(name: string) {
                  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx);
                },
              }),
            ),
          );
        } catch (error) {
          if (repeats >= maxRepeats || !wantsRepeat(error)) throw error;
        }
      }
    },
    async ping() {
      await sql`select 1`.execute(db);
    },
    async close() {
      await changes.close();
      await db.destroy();
    },
  };
}
