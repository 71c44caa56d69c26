import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';
import { type MigrationState, migrationState, readOnlyDatabase } from './look.ts';
import type { Schema } from './schema.ts';

/** What a PostgreSQL server says of itself and of this user's rights. */
export interface PostgresServer {
  /** Such as 180004 for 18.4. */
  readonly version: number;
  readonly btreeGist: 'installed' | 'available' | 'absent';
  /** A standby, or a role or database that is set to read only. */
  readonly readOnly: boolean;
  /** Whether this user may make tables in the schema that it works in. */
  readonly mayCreate: boolean;
  /** Whether this user may make the extensions that PostgreSQL trusts everybody with. */
  readonly mayExtend: boolean;
  /** Tables that this user may not read or change. */
  readonly denied: readonly string[];
}

export interface PostgresLook {
  readonly dialect: 'postgres';
  readonly server: PostgresServer;
  readonly migrations: MigrationState;
  readonly database: Database;
}

/** Every table that PostgreSQL has; the types ask for those that are new. */
const tables: Record<Exclude<keyof Schema, 'cache_invalidations'>, true> = {
  activity: true,
  api_keys: true,
  appointments: true,
  bots: true,
  busy_spans: true,
  calendars: true,
  claims: true,
  connect_links: true,
  consent_steps: true,
  database_identity: true,
  google_tokens: true,
  idempotency_keys: true,
  jobs: true,
  key_checks: true,
  oauth_states: true,
};

async function readServer(db: Kysely<Schema>): Promise<PostgresServer> {
  const { rows } = await sql<Omit<PostgresServer, 'denied'>>`
    select current_setting('server_version_num')::int as version,
      case when exists (select from pg_extension where extname = 'btree_gist') then 'installed'
        when exists (select from pg_available_extensions where name = 'btree_gist')
        then 'available' else 'absent' end as "btreeGist",
      pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool as "readOnly",
      coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
      has_database_privilege(current_database(), 'create') as "mayExtend"`.execute(db);
  const denied = await sql<{ name: string }>`
    select name from unnest(${Object.keys(tables)}::text[]) as name
    where to_regclass(name) is not null and not (
      has_table_privilege(name, 'select') and has_table_privilege(name, 'insert') and
      has_table_privilege(name, 'update') and has_table_privilege(name, 'delete'))`.execute(db);
  const [server] = rows;
  if (!server) throw new Error('PostgreSQL says nothing of itself.');
  return { ...server, denied: denied.rows.map(({ name }) => name) };
}

/**
 * Looks at a PostgreSQL database; it only selects.
 *
 * @throws what the driver throws when the database cannot be reached
 */
export async function lookAtPostgres(
  databaseUrl: string,
  timeoutMs: number,
): Promise<PostgresLook> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'calhook doctor',
  });
  pool.on('error', () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    const database = readOnlyDatabase('postgres', db, () => db.destroy());
    return {
      dialect: 'postgres',
      server: await readServer(db),
      migrations: await migrationState('postgres', db),
      database,
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
