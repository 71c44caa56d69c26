import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** Links for one account only, and what waits for an owner's word after a consent. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';
  await db.schema.alterTable('connect_links').addColumn('google_sub', 'text').execute();
  const steps = db.schema
    .createTable('consent_steps')
    .addColumn('token_hash', 'text', (c) => c.primaryKey().notNull())
    .addColumn('client_id', 'text', (c) => c.notNull().references('bots.id').onDelete('cascade'))
    .addColumn('kind', 'text', (c) => c.notNull().check(sql`kind in ('replace', 'undo')`))
    .addColumn('cookie_hash', 'text')
    .addColumn('sealed', 'text', (c) => c.notNull())
    .addColumn('expires_at', instant, (c) => c.notNull());
  const table = dialect === 'sqlite' ? steps.modifyEnd(sql`strict, without rowid`) : steps;
  await table.execute();
  await db.schema
    .createIndex('consent_steps_expiry')
    .on('consent_steps')
    .column('expires_at')
    .execute();
}
