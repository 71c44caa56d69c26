import { type Kysely, sql } from 'kysely';

/**
 * The natural key of bookings, its time first. It is written at every booking and at its
 * confirmation, and bookings of many bots are for the same few weeks: they share pages of the index,
 * where they had one for each bot.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('appointments_natural_key').execute();
  await db.schema
    .createIndex('appointments_natural_key')
    .unique()
    .on('appointments')
    .columns(['starts_at', 'client_id', 'customer_email'])
    .where(sql.ref('status'), 'in', [sql.lit('pending'), sql.lit('confirmed')])
    .execute();
}
