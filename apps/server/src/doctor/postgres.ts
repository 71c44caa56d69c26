import type { MigrationState, PostgresServer } from '../db/index.ts';
import { networkProblem } from '../network-problem.ts';
import { fault, ok, type Verdict, warning } from './finding.ts';

/** PostgreSQL 13: the first in which a user without further rights may install btree_gist. */
const trustedExtensionsSince = 130_000;
const testedVersion = 18;

/** Tells why PostgreSQL could not be used, by its code (SQLSTATE) or the network's. */
export function judgeUnreachable(error: unknown): Verdict {
  const variable = 'CALHOOK_DATABASE_URL';
  switch ((error as { code?: unknown }).code) {
    case '28P01':
    case '28000':
      return fault('PostgreSQL refuses the user or the password', `correct ${variable}`);
    case '3D000':
      return fault(
        'PostgreSQL has no such database',
        `create it ("createdb NAME"), or correct ${variable}`,
      );
    case '53300':
      return fault(
        'PostgreSQL takes no more connections',
        'raise its max_connections, or end what holds them',
      );
  }
  return fault(
    `PostgreSQL cannot be reached: ${networkProblem(error).text}`,
    `start it, or correct host and port in ${variable}`,
  );
}

export function judgeVersion({ version }: Pick<PostgresServer, 'version'>): Verdict {
  const major = Math.floor(version / 10_000);
  return version < trustedExtensionsSince
    ? warning(
        `PostgreSQL ${major}, which is older than Calhook was written for`,
        `update it; Calhook is tested with PostgreSQL ${testedVersion}`,
      )
    : ok(`PostgreSQL ${major}`);
}

export function judgeRights(server: PostgresServer, { missing }: MigrationState): Verdict {
  if (server.readOnly) {
    return fault(
      'the database can only be read: a standby, or default_transaction_read_only',
      'name the primary in CALHOOK_DATABASE_URL, or switch the setting off',
    );
  }
  if (server.denied.length > 0) {
    return fault(
      `this user may not read and change ${server.denied.join(', ')}`,
      'make it the owner of the tables, or grant select, insert, update and delete',
    );
  }
  if (missing.length > 0 && !server.mayCreate) {
    return fault(
      'tables have to be made, and this user may not make any',
      'grant it "create" on the schema, or run "calhook migrate" as a user who may',
    );
  }
  return ok('this user may write');
}

/** The extension holds overlapping appointments apart. */
export function judgeBtreeGist(server: PostgresServer): Verdict {
  if (server.btreeGist === 'installed') return ok('installed');
  if (server.btreeGist === 'absent') {
    return fault(
      'not there; it keeps appointments from overlapping',
      'install the package with the standard extensions (postgresql-contrib)',
    );
  }
  return server.mayExtend && server.version >= trustedExtensionsSince
    ? ok('available; the first start installs it')
    : fault(
        'not installed in this database, and this user may not install it',
        'run "create extension btree_gist" in it as a superuser',
      );
}
