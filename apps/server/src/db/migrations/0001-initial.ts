import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** Bots, connections, keys, appointments and the overlap guard. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  // PostgreSQL's integer has 32 bits; instants in milliseconds need 64.
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';
  // Rows that live in the tree of their own key: one tree to write per table instead of two
  // (https://sqlite.org/withoutrowid.html). Types are held as in PostgreSQL.
  const keyed = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    dialect === 'sqlite' ? table.modifyEnd(sql`strict, without rowid`) : table;
  const strict = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    dialect === 'sqlite' ? table.modifyEnd(sql`strict`) : table;

  await keyed(
    db.schema
      .createTable('bots')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('time_zone', 'text', (c) => c.notNull())
      .addColumn('duration_minutes', 'integer', (c) => c.notNull())
      .addColumn('weekly_hours', 'text')
      .addColumn('allowed_origins', 'text', (c) => c.notNull())
      .addColumn('created_at', instant, (c) => c.notNull())
      .addColumn('updated_at', instant, (c) => c.notNull()),
  ).execute();

  await strict(
    db.schema
      .createTable('google_tokens')
      .addColumn('client_id', 'text', (c) =>
        c.primaryKey().notNull().references('bots.id').onDelete('cascade'),
      )
      .addColumn('access_token', 'text', (c) => c.notNull())
      .addColumn('refresh_token', 'text', (c) => c.notNull())
      .addColumn('expiry_date', instant, (c) => c.notNull())
      .addColumn('scope', 'text', (c) => c.notNull())
      .addColumn('created_at', instant, (c) => c.notNull())
      .addColumn('updated_at', instant, (c) => c.notNull())
      .addColumn('google_sub', 'text', (c) => c.notNull())
      .addColumn('account_email', 'text', (c) => c.notNull())
      .addColumn('calendar_id', 'text', (c) => c.notNull())
      .addColumn('status', 'text', (c) =>
        c.notNull().check(sql`status in ('connected', 'needs_reauth', 'missing_scopes')`),
      )
      .addColumn('status_reason', 'text')
      .addColumn('status_since', instant, (c) => c.notNull())
      .addColumn('version', instant, (c) => c.notNull()),
  ).execute();
  await db.schema
    .createIndex('google_tokens_sub')
    .on('google_tokens')
    .column('google_sub')
    .execute();

  await keyed(
    db.schema
      .createTable('connect_links')
      .addColumn('token_hash', 'text', (c) => c.primaryKey().notNull())
      .addColumn('client_id', 'text', (c) => c.notNull().references('bots.id').onDelete('cascade'))
      .addColumn('cookie_hash', 'text')
      .addColumn('created_at', instant, (c) => c.notNull())
      .addColumn('expires_at', instant, (c) => c.notNull()),
  ).execute();

  await keyed(
    db.schema
      .createTable('oauth_states')
      .addColumn('state_hash', 'text', (c) => c.primaryKey().notNull())
      .addColumn('client_id', 'text', (c) => c.notNull().references('bots.id').onDelete('cascade'))
      .addColumn('cookie_hash', 'text', (c) => c.notNull())
      .addColumn('code_verifier', 'text', (c) => c.notNull())
      .addColumn('link_hash', 'text', (c) => c.notNull())
      .addColumn('expires_at', instant, (c) => c.notNull()),
  ).execute();

  await keyed(
    db.schema
      .createTable('api_keys')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('secret_hash', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('scopes', 'text', (c) => c.notNull())
      .addColumn('bot_ids', 'text')
      .addColumn('created_at', instant, (c) => c.notNull())
      .addColumn('expires_at', instant)
      .addColumn('revoked_at', instant)
      .addColumn('last_used_at', instant),
  ).execute();

  await keyed(
    db.schema
      .createTable('appointments')
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('client_id', 'text', (c) => c.notNull().references('bots.id').onDelete('cascade'))
      .addColumn('customer_name', 'text', (c) => c.notNull())
      .addColumn('customer_email', 'text', (c) => c.notNull())
      .addColumn('customer_phone', 'text')
      .addColumn('appointment_date', 'text', (c) => c.notNull())
      .addColumn('appointment_time', 'text', (c) => c.notNull())
      .addColumn('status', 'text', (c) =>
        c
          .notNull()
          .defaultTo('confirmed')
          .check(sql`status in ('pending', 'confirmed', 'cancelled', 'failed')`),
      )
      .addColumn('google_event_id', 'text')
      .addColumn('created_at', instant, (c) => c.notNull())
      .addColumn('time_zone', 'text', (c) => c.notNull())
      .addColumn('starts_at', instant, (c) => c.notNull())
      .addColumn('ends_at', instant, (c) => c.notNull())
      .addColumn('notes', 'text')
      .addColumn('answers', 'text', (c) => c.notNull())
      .addColumn('calendar', 'text', (c) => c.notNull())
      .addColumn('event_link', 'text')
      .addColumn('meet_link', 'text')
      .addColumn('failure', 'text')
      .addColumn('updated_at', instant, (c) => c.notNull()),
  ).execute();
  await db.schema
    .createIndex('appointments_of_bot')
    .on('appointments')
    .columns(['client_id', 'id'])
    .execute();
  // The natural key of a booking: the same customer at the same start, while it stands.
  await db.schema
    .createIndex('appointments_natural_key')
    .unique()
    .on('appointments')
    .columns(['client_id', 'customer_email', 'starts_at'])
    .where(sql.ref('status'), 'in', [sql.lit('pending'), sql.lit('confirmed')])
    .execute();

  await keyed(
    db.schema
      .createTable('claims')
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('calendar', 'text', (c) => c.notNull())
      .addColumn('starts_at', instant, (c) => c.notNull())
      .addColumn('ends_at', instant, (c) => c.notNull())
      .addColumn('appointment_id', 'text', (c) =>
        c.notNull().references('appointments.id').onDelete('cascade'),
      )
      .addPrimaryKeyConstraint('claims_key', ['calendar', 'starts_at', 'id'])
      .addCheckConstraint('claims_span', sql`ends_at > starts_at`),
  ).execute();
  await db.schema.createIndex('claims_appointment').on('claims').column('appointment_id').execute();
  await (dialect === 'postgres' ? guardOverlapPostgres(db) : guardOverlapSqlite(db));

  await keyed(
    db.schema
      .createTable('activity')
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('client_id', 'text', (c) => c.notNull())
      .addColumn('at', instant, (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('subject_id', 'text')
      .addColumn('detail', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('activity_key', ['client_id', 'id']),
  ).execute();

  await keyed(
    db.schema
      .createTable('key_checks')
      .addColumn('key_id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('envelope', 'text', (c) => c.notNull())
      .addColumn('created_at', instant, (c) => c.notNull()),
  ).execute();

  // PostgreSQL has NOTIFY for this.
  if (dialect === 'sqlite') {
    await strict(
      db.schema
        .createTable('cache_invalidations')
        .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
        .addColumn('topic', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('at', instant, (c) => c.notNull()),
    ).execute();
  }
}

/** Two claims of one calendar never overlap; spans are half-open, so neighbours may touch. */
async function guardOverlapPostgres(db: Kysely<unknown>): Promise<void> {
  await sql`create extension if not exists btree_gist`.execute(db);
  await sql`
    alter table claims add constraint claims_no_overlap
    exclude using gist (calendar with =, int8range(starts_at, ends_at) with &&)`.execute(db);
}

/**
 * As {@link guardOverlapPostgres}. SQLite has one writer at a time, so a look suffices; and since the
 * claims of a calendar are disjoint, the one that begins last before the new one ends is also the
 * one that ends last: if it is over by then, so are all. One step in the index, however many
 * claims there are.
 */
async function guardOverlapSqlite(db: Kysely<unknown>): Promise<void> {
  for (const event of ['insert', 'update']) {
    await sql
      .raw(
        `create trigger claims_no_overlap_${event} before ${event} on claims
         when new.starts_at < (
           select ends_at from claims
           where calendar = new.calendar and starts_at < new.ends_at and id <> new.id
           order by starts_at desc limit 1)
         begin select raise(abort, 'claims_no_overlap'); end`,
      )
      .execute(db);
  }
}
