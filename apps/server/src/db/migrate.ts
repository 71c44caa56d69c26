import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { DialectName } from './dialect.ts';
import { up as initial } from './migrations/0001-initial.ts';
import { up as refreshLease } from './migrations/0002-refresh-lease.ts';
import { up as claimsInTurn } from './migrations/0003-claims-in-turn.ts';
import { up as consentSteps } from './migrations/0004-consent-steps.ts';
import { up as jobs } from './migrations/0005-jobs.ts';
import { up as mirror } from './migrations/0006-mirror.ts';
import { up as booking } from './migrations/0007-booking.ts';
import { up as databaseIdentity } from './migrations/0008-database-identity.ts';
import { up as naturalKeyByTime } from './migrations/0009-natural-key-by-time.ts';
import type { Schema } from './schema.ts';

type NumberedMigration = (db: Kysely<unknown>, dialect: DialectName) => Promise<void>;

/** All migrations; a released one never changes. */
const migrations: Readonly<Record<string, NumberedMigration>> = {
  '0001-initial': initial,
  '0002-refresh-lease': refreshLease,
  '0003-claims-in-turn': claimsInTurn,
  '0004-consent-steps': consentSteps,
  '0005-jobs': jobs,
  '0006-mirror': mirror,
  '0007-booking': booking,
  '0008-database-identity': databaseIdentity,
  '0009-natural-key-by-time': naturalKeyByTime,
};

/** In the order in which they run. */
export const migrationNames: readonly string[] = Object.keys(migrations).sort();

/**
 * Brings the tables up to date; does nothing when they are.
 *
 * @returns the names of the migrations that ran
 * @throws when one fails (it is rolled back), or when the database is newer than this program.
 */
export async function migrateToLatest(db: Kysely<Schema>, dialect: DialectName): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () =>
        Object.fromEntries(
          Object.entries(migrations).map(([name, migration]): [string, Migration] => [
            name,
            { up: (database) => migration(database, dialect) },
          ]),
        ),
    },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}
