import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** The queue of durable work. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';
  const jobs = db.schema
    .createTable('jobs')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('lane', 'text')
    .addColumn('client_id', 'text')
    .addColumn('due_at', instant)
    .addColumn('position', instant, (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('last_error', 'text')
    .addColumn('settled', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', instant)
    .addColumn('leased_lane', 'text')
    .addPrimaryKeyConstraint('jobs_key', ['kind', 'key'])
    // A job that nobody would ever look at again is a job lost.
    .addCheckConstraint('jobs_found_again', sql`coalesce(lease_until, due_at, settled) > 0`);
  await (dialect === 'sqlite' ? jobs.modifyEnd(sql`strict, without rowid`) : jobs).execute();

  // One index finds what is due and what a killed process left behind.
  await sql`create index jobs_next on jobs (coalesce(lease_until, due_at), position)`.execute(db);
  // Jobs of one lane run one at a time, held by the database. The index holds only what runs.
  await db.schema
    .createIndex('jobs_running')
    .unique()
    .on('jobs')
    .column('leased_lane')
    .where(sql.ref('lease_owner'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('jobs_tried')
    .on('jobs')
    .column('kind')
    .where(sql.ref('attempts'), '>', sql.lit(0))
    .execute();
}
