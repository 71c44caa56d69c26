import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** Rules of bots; holds; changes of appointments and whether Google has them; idempotency keys. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';

  await db.schema
    .alterTable('bots')
    .addColumn('language', 'text', (c) => c.notNull().defaultTo('en'))
    .execute();
  await db.schema
    .alterTable('bots')
    .addColumn('rules', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();

  for (const [column, type, fallback] of [
    ['language', 'text', 'en'],
    ['revision', 'integer', 1],
    ['written_revision', 'integer', 0],
    ['unverified', 'integer', 0],
  ] as const) {
    await db.schema
      .alterTable('appointments')
      .addColumn(column, type, (c) => c.notNull().defaultTo(fallback))
      .execute();
  }
  for (const [column, type] of [
    ['etag', 'text'],
    ['conflict_since', instant],
    ['cancelled_by', 'text'],
  ] as const) {
    await db.schema.alterTable('appointments').addColumn(column, type).execute();
  }
  await sql`update appointments set written_revision = 1 where status <> 'pending'`.execute(db);

  await db.schema
    .createIndex('appointments_in_conflict')
    .on('appointments')
    .column('calendar')
    .where(sql.ref('conflict_since'), 'is not', null)
    .execute();

  await (dialect === 'postgres' ? holdsInPostgres(db) : holdsInSqlite(db));
  // Holds are found, and swept, by their calendar.
  await sql`create index claims_holds on claims (calendar, expires_at)
    where expires_at is not null`.execute(db);

  const keys = db.schema
    .createTable('idempotency_keys')
    .addColumn('caller', 'text', (c) => c.notNull())
    .addColumn('key_hash', 'text', (c) => c.notNull())
    .addColumn('body_hash', 'text', (c) => c.notNull())
    .addColumn('appointment_id', 'text', (c) =>
      c.notNull().references('appointments.id').onDelete('cascade'),
    )
    .addColumn('created_at', instant, (c) => c.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_key', ['caller', 'key_hash']);
  await (dialect === 'sqlite' ? keys.modifyEnd(sql`strict, without rowid`) : keys).execute();
  await db.schema
    .createIndex('idempotency_keys_appointment')
    .on('idempotency_keys')
    .column('appointment_id')
    .execute();
  await db.schema
    .createIndex('idempotency_keys_age')
    .on('idempotency_keys')
    .column('created_at')
    .execute();
}

async function holdsInPostgres(db: Kysely<unknown>): Promise<void> {
  await sql`alter table claims
    alter column appointment_id drop not null,
    add column client_id text references bots (id) on delete cascade,
    add column booked_start bigint,
    add column booked_end bigint,
    add column created_at bigint,
    add column expires_at bigint`.execute(db);
  await sql`update claims set client_id = a.client_id, booked_start = claims.starts_at,
    booked_end = claims.ends_at, created_at = a.created_at
    from appointments a where a.id = claims.appointment_id`.execute(db);
  await sql`alter table claims
    alter column client_id set not null,
    alter column booked_start set not null,
    alter column booked_end set not null,
    alter column created_at set not null,
    add constraint claims_kind check ((appointment_id is null) = (expires_at is not null))`.execute(
    db,
  );
}

/** SQLite cannot let go of a NOT NULL, so the table is made anew, its guard included. */
async function holdsInSqlite(db: Kysely<unknown>): Promise<void> {
  await sql`create table claims_with_holds (
    id text not null,
    calendar text not null,
    client_id text not null references bots (id) on delete cascade,
    starts_at integer not null,
    ends_at integer not null,
    booked_start integer not null,
    booked_end integer not null,
    appointment_id text references appointments (id) on delete cascade,
    created_at integer not null,
    expires_at integer,
    constraint claims_key primary key (calendar, starts_at, id),
    constraint claims_span check (ends_at > starts_at),
    constraint claims_kind check ((appointment_id is null) = (expires_at is not null))
  ) strict, without rowid`.execute(db);
  await sql`insert into claims_with_holds
    select c.id, c.calendar, a.client_id, c.starts_at, c.ends_at, c.starts_at, c.ends_at,
      c.appointment_id, a.created_at, null
    from claims c join appointments a on a.id = c.appointment_id`.execute(db);
  await sql`drop table claims`.execute(db);
  await sql`alter table claims_with_holds rename to claims`.execute(db);
  await db.schema.createIndex('claims_appointment').on('claims').column('appointment_id').execute();
  // As in 0001: claims are disjoint, so the last that begins before the end tells for all.
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
