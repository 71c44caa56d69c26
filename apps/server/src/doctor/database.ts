import type { EncryptionKey } from '../config.ts';
import {
  lookAtDatabase,
  type MigrationState,
  type PostgresLook,
  type SqliteLook,
} from '../db/index.ts';
import { OperatorError } from '../operator-error.ts';
import { checkKeyRing } from '../vault/index.ts';
import { fault, notTold, ok, type Verdict, warning } from './finding.ts';
import { judgeBtreeGist, judgeRights, judgeUnreachable, judgeVersion } from './postgres.ts';
import type { Check } from './run-checks.ts';
import { judgeFile, judgeLog, judgeSpace, judgeWriting } from './sqlite.ts';

type Look = SqliteLook | PostgresLook;

const unread = notTold('the database cannot be read');

/** What is in the database; null where there is none yet, or none that can be read. */
function contentOf(look: Look) {
  if (look.dialect === 'postgres') return look;
  return look.file && 'database' in look.file ? look.file : null;
}

const isUnread = (look: Look) =>
  look.dialect === 'sqlite' && look.file !== null && 'problem' in look.file;

function judgeMigrations({ missing, unknown }: MigrationState): Verdict {
  if (unknown.length > 0) {
    return fault(
      `newer than this program: they have ${unknown.join(', ')}`,
      'run the version of Calhook that made them, or a newer one',
    );
  }
  return missing.length > 0
    ? warning(
        `not up to date, lacking ${missing.join(', ')}`,
        'the next start brings them up to date; so does "calhook migrate"',
      )
    : ok('up to date');
}

async function judgeKeys(look: Look, keys: readonly EncryptionKey[]): Promise<Verdict> {
  const content = contentOf(look);
  const ring = `"${keys[0]?.id}" encrypts, ${keys.length} in the ring`;
  // The check values came with the first migration; before it there is no data either.
  if (!content || content.migrations.missing.some((name) => name.startsWith('0001-'))) {
    return ok(`${ring}; nothing is encrypted yet`);
  }
  // Later ones change what an envelope is bound to.
  if (content.migrations.missing.length > 0) return notTold('the tables are not up to date');
  try {
    await checkKeyRing(keys, content.database);
    return ok(`${ring}; they fit the data`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return fault(
      error.message,
      'bring back the former value of CALHOOK_ENCRYPTION_KEYS; without it owners must connect again',
    );
  }
}

/** What is looked at of a database that is there, or will be. */
export function databaseChecks(
  databaseUrl: string,
  keys: readonly EncryptionKey[],
  timeoutMs: number,
): { readonly checks: readonly Check[]; close(): Promise<void> } {
  const looking = lookAtDatabase(databaseUrl, timeoutMs);
  const looked = looking.catch(() => null);
  const check = (name: string, judge: (look: Look) => Verdict | Promise<Verdict>): Check => ({
    name,
    look: async () => {
      const look = await looked;
      return look ? judge(look) : unread;
    },
  });
  const sqlite = (name: string, judge: (look: SqliteLook) => Verdict) =>
    check(name, (look) => (look.dialect === 'sqlite' ? judge(look) : unread));
  const postgres = (name: string, judge: (look: PostgresLook) => Verdict) =>
    check(name, (look) => (look.dialect === 'postgres' ? judge(look) : unread));

  const tables = check('tables', (look) => {
    if (isUnread(look)) return unread;
    const content = contentOf(look);
    return content
      ? judgeMigrations(content.migrations)
      : warning('none yet', 'the first start makes them; so does "calhook migrate"');
  });
  const encryption = check('encryption keys', (look) =>
    isUnread(look) ? unread : judgeKeys(look, keys),
  );
  const checks = databaseUrl.startsWith('sqlite:')
    ? [
        { name: 'database', look: async () => judgeFile((await looking) as SqliteLook) },
        tables,
        sqlite('writing', judgeWriting),
        sqlite('disk space', ({ disk }) => judgeSpace(disk)),
        sqlite('write-ahead log', judgeLog),
        encryption,
      ]
    : [
        {
          name: 'database',
          look: () =>
            looking.then(
              (look) => judgeVersion((look as PostgresLook).server),
              (error: unknown) => judgeUnreachable(error),
            ),
        },
        tables,
        postgres('writing', ({ server, migrations }) => judgeRights(server, migrations)),
        postgres('btree_gist', ({ server }) => judgeBtreeGist(server)),
        encryption,
      ];
  return {
    checks,
    async close() {
      const look = await looked;
      if (look) await contentOf(look)?.database.close();
    },
  };
}
