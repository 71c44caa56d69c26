import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** An id that tells this database from all others; a copy of the whole database keeps it. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const identity = db.schema
    .createTable('database_identity')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull());
  await (dialect === 'sqlite'
    ? identity.modifyEnd(sql`strict, without rowid`)
    : identity
  ).execute();
  // What was sealed before there were ids is bound to none, and has to open all the same.
  await sql`
    insert into database_identity (id)
    select case when exists (select 1 from key_checks) then '' else ${randomUUID()} end
  `.execute(db);
}
