import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../dialect.ts';

/**
 * Claims of one calendar come one after another. Two transactions that each wait for the other's
 * overlapping claim would otherwise deadlock, which PostgreSQL notices after a second, and with
 * many that want one slot a second for each. SQLite has one writer.
 */
export async function up(db: Kysely<unknown>, dialect: DialectName): Promise<void> {
  if (dialect === 'sqlite') return;
  await sql`
    create function claims_in_turn() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended(new.calendar, 0));
      return new;
    end
    $$`.execute(db);
  await sql`
    create trigger claims_in_turn before insert or update on claims
    for each row execute function claims_in_turn()`.execute(db);
}
