import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** The mirror: which calendars are followed from where, and the spans in which they are busy. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';
  const keyed = <T extends string, C extends string>(table: CreateTableBuilder<T, C>) =>
    dialect === 'sqlite' ? table.modifyEnd(sql`strict, without rowid`) : table;

  await keyed(
    db.schema
      .createTable('calendars')
      .addColumn('calendar', 'text', (c) => c.primaryKey().notNull())
      .addColumn('version', instant, (c) => c.notNull())
      .addColumn('sync_token', 'text')
      .addColumn('time_zone', 'text')
      .addColumn('window_start', instant, (c) => c.notNull())
      .addColumn('window_end', instant, (c) => c.notNull())
      .addColumn('checked_at', instant, (c) => c.notNull())
      .addColumn('full_pulled_at', instant, (c) => c.notNull())
      .addColumn('due_at', instant)
      .addColumn('failures', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('failure', 'text'),
  ).execute();
  // What polling looks for; calendars that nobody can read just now are not in it.
  await db.schema
    .createIndex('calendars_due')
    .on('calendars')
    .column('due_at')
    .where(sql.ref('due_at'), 'is not', null)
    .execute();

  await keyed(
    db.schema
      .createTable('busy_spans')
      .addColumn('calendar', 'text', (c) =>
        c.notNull().references('calendars.calendar').onDelete('cascade'),
      )
      .addColumn('event_id', 'text', (c) => c.notNull())
      .addColumn('starts_at', instant, (c) => c.notNull())
      .addColumn('ends_at', instant, (c) => c.notNull())
      .addColumn('is_long', 'integer', (c) => c.notNull().check(sql`is_long in (0, 1)`))
      .addColumn('series_id', 'text')
      .addColumn('appointment_id', 'text')
      .addPrimaryKeyConstraint('busy_spans_key', ['calendar', 'event_id'])
      .addCheckConstraint('busy_spans_span', sql`ends_at > starts_at`),
  ).execute();
  // Long spans are few; among the others, one that overlaps begins at most their length before.
  await db.schema
    .createIndex('busy_spans_time')
    .on('busy_spans')
    .columns(['calendar', 'is_long', 'starts_at', 'ends_at', 'appointment_id'])
    .execute();
}
