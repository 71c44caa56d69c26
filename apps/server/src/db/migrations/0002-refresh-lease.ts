import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/** Who refreshes a grant, how that went, and when Google will end the grant by itself. */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  const instant = dialect === 'postgres' ? 'bigint' : 'integer';
  const table = () => db.schema.alterTable('google_tokens');
  await table()
    .addColumn('refreshed_at', instant, (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`update google_tokens set refreshed_at = updated_at`.execute(db);
  await table()
    .addColumn('refresh_failures', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await table().addColumn('refresh_failure', 'text').execute();
  await table().addColumn('refresh_not_before', instant).execute();
  await table().addColumn('lease_owner', 'text').execute();
  await table().addColumn('lease_until', instant).execute();
  await table().addColumn('refresh_token_expires_at', instant).execute();
  await table().addColumn('expiry_announced_at', instant).execute();

  // What the care of connections looks for: few rows of many, so the indexes hold only those.
  await db.schema
    .createIndex('google_tokens_idle')
    .on('google_tokens')
    .column('refreshed_at')
    .where(sql.ref('status'), '=', sql.lit('connected'))
    .execute();
  await db.schema
    .createIndex('google_tokens_expiring')
    .on('google_tokens')
    .column('refresh_token_expires_at')
    .where(sql.ref('refresh_token_expires_at'), 'is not', null)
    .execute();
}
