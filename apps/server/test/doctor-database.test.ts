import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { openDatabase, type PostgresServer } from '../src/db/index.ts';
import { diagnose } from '../src/doctor/doctor.ts';
import type { Finding, Mark } from '../src/doctor/finding.ts';
import { judgeBtreeGist, judgeRights, judgeVersion } from '../src/doctor/postgres.ts';
import { hasFault } from '../src/doctor/report.ts';
import { judgeLog, judgeSpace } from '../src/doctor/sqlite.ts';
import { openVault } from '../src/vault/index.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { freePorts } from './support/free-ports.ts';
import { runSql } from './support/stored.ts';
import { oauthClient, openTestApp, testEnvironment } from './support/test-app.ts';

let publicUrl: string;
let sandbox: Sandbox;

beforeAll(async () => {
  publicUrl = `http://127.0.0.1:${await freePorts()}`;
  const redirectUris = [`${publicUrl}/oauth/google/callback`];
  sandbox = await startSandbox();
  sandbox.addClient({ ...oauthClient, redirectUris });
});
afterAll(() => sandbox.close());

/** Only what each check found; that the other checks ran is part of every row. */
async function examine(
  url: string,
  environment: Record<string, string> = {},
  timeoutMs = 5_000,
): Promise<{ byName: Record<string, Finding>; failed: boolean }> {
  const config = readConfig({ ...testEnvironment(sandbox, url, publicUrl), ...environment });
  const findings = await diagnose(config, { timeoutMs });
  const byName = Object.fromEntries(findings.map((finding) => [finding.check, finding]));
  expect(Object.keys(byName)).toHaveLength(findings.length);
  expect(byName['Google client']?.mark).toBe('ok');
  for (const { mark, remedy } of findings) expect(remedy === undefined).toBe(mark === 'ok');
  return { byName, failed: hasFault(findings) };
}

const ring = [{ id: 'test', bytes: Buffer.alloc(32, 7) }];

async function migrated(database: TestDatabase): Promise<TestDatabase> {
  const opened = await openDatabase(database.url);
  await openVault(ring, opened, Date.now);
  await opened.close();
  return database;
}

describeOnEachDatabase('calhook doctor of a database', (dialect) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await migrated(await createTestDatabase(dialect));
    return () => database.drop();
  });

  test('that is right', async () => {
    const { byName, failed } = await examine(database.url);
    for (const check of ['database', 'tables', 'writing', 'encryption keys']) {
      expect(byName[check]).toMatchObject({ check, mark: 'ok' });
    }
    expect(failed).toBe(false);
  });

  test.each<[string, string, Mark, string, Mark]>([
    [
      'newer than the program',
      "insert into kysely_migration values ('9999-tomorrow', '2030-01-01T00:00:00Z')",
      'fault',
      'newer than this program: they have 9999-tomorrow',
      'ok',
    ],
    [
      'older than the program',
      "delete from kysely_migration where name > '0002'",
      'warning',
      'lacking 0002-refresh-lease, 0003-claims-in-turn',
      'warning',
    ],
    ['without tables', 'drop table kysely_migration', 'warning', 'lacking 0001-initial', 'ok'],
  ])('that is %s', async (_, change, mark, message, keysMark) => {
    await runSql(database, change);
    const { byName, failed } = await examine(database.url);
    expect(byName.tables).toMatchObject({ mark, message: expect.stringContaining(message) });
    expect(byName['encryption keys']?.mark).toBe(keysMark);
    expect(failed).toBe(mark === 'fault');
  });

  test('that has to be migrated before its keys can be told', async () => {
    await runSql(database, 'drop table database_identity');
    await runSql(database, "delete from kysely_migration where name like '%-database-identity'");
    const { byName, failed } = await examine(database.url);
    expect(byName.tables?.message).toMatch(/^not up to date, lacking \d{4}-database-identity$/);
    expect(byName['encryption keys']).toMatchObject({
      mark: 'warning',
      message: 'cannot be told: the tables are not up to date',
    });
    expect(failed).toBe(false);
  });

  const otherBytes = Buffer.alloc(32, 9).toString('base64');
  test.each([
    [`new:${otherBytes}`, 'lacks the key "test"'],
    [`test:${otherBytes}`, 'is not the one that data was encrypted with'],
  ])('whose keys do not fit', async (keys, message) => {
    const server = await openTestApp({ dialect, database });
    await server.connectedBot();
    await server.close();
    const { byName, failed } = await examine(database.url, { CALHOOK_ENCRYPTION_KEYS: keys });
    expect(byName['encryption keys']).toMatchObject({
      mark: 'fault',
      message: expect.stringContaining(message),
    });
    expect(byName.tables?.mark).toBe('ok');
    expect(JSON.stringify(byName)).not.toContain(otherBytes);
    expect(failed).toBe(true);
  });
});

/** Runs the work as a user without rights; as root, files may always be written. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('calhook doctor of a SQLite file', () => {
  let database: TestDatabase;
  let path: string;
  beforeEach(async () => {
    database = await migrated(await createTestDatabase('sqlite'));
    path = database.url.slice('sqlite:'.length);
    return () => database.drop();
  });

  const files = (directory: string) =>
    readdirSync(directory)
      // The index of the log, which every reader may write.
      .filter((name) => !name.endsWith('-shm'))
      .map((name) => `${name} ${readFileSync(join(directory, name), 'base64')}`);

  test('leaves nothing behind where no server runs', async () => {
    const before = files(dirname(path));
    await examine(database.url);
    expect(files(dirname(path))).toEqual(before);
    expect(before).toHaveLength(1);
  });

  test('leaves the log of a server that was killed as it is', async () => {
    const running = await openDatabase(database.url);
    await runSql(database, "insert into kysely_migration values ('9999-logged', 'now')");
    const killed = await createTestDatabase('sqlite');
    const directory = dirname(killed.url.slice('sqlite:'.length));
    for (const end of ['', '-wal']) await copyFile(path + end, join(directory, `calhook.db${end}`));
    await running.close();
    const before = files(directory);
    expect(before).toHaveLength(2);
    const { byName } = await examine(killed.url);
    expect(byName.tables?.message).toContain('9999-logged');
    expect(files(directory)).toEqual(before);
    await killed.drop();
  });

  test('that is none', async () => {
    await writeFile(path, 'This is a letter, and no database. '.repeat(100));
    const { byName, failed } = await examine(database.url);
    expect(byName.database).toMatchObject({
      mark: 'fault',
      message: `${path} is not a SQLite database`,
    });
    for (const check of ['tables', 'writing', 'encryption keys']) {
      expect(byName[check]).toMatchObject({
        mark: 'warning',
        message: 'cannot be told: the database cannot be read',
      });
    }
    expect(failed).toBe(true);
  });

  test('in a place where nothing can be', async () => {
    const { byName, failed } = await examine(`${database.url}/below/calhook.db`);
    expect(byName.writing).toMatchObject({
      mark: 'fault',
      message: expect.stringContaining('may not write'),
    });
    expect(failed).toBe(true);
  });

  test('that this user may not write', async () => {
    await chmod(path, 0o444);
    await chmod(dirname(path), 0o555);
    const { byName, failed } = await asNobody(() => examine(database.url));
    await chmod(dirname(path), 0o755);
    expect(byName.writing).toMatchObject({
      mark: 'fault',
      message: `this user may not write ${path}, or not in its directory`,
    });
    expect(failed).toBe(true);
  });

  test('that another process keeps locked', async () => {
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    const { byName, failed } = await examine(database.url);
    other.exec('rollback');
    other.close();
    expect(byName.writing).toMatchObject({
      mark: 'warning',
      message: 'another process keeps the database locked',
    });
    expect(failed).toBe(false);
  });

  test('without a write-ahead log', async () => {
    await runSql(database, 'pragma journal_mode = delete');
    const { byName, failed } = await examine(database.url);
    expect(byName['write-ahead log']).toMatchObject({
      mark: 'warning',
      message: 'the journal mode is "delete", not "wal"',
    });
    expect(failed).toBe(false);
    expect(await runSql(database, 'pragma journal_mode')).toEqual([{ journal_mode: 'delete' }]);
  });

  test.each<[number, Mark, string]>([
    [99e6, 'fault', '99 MB free; bookings fail when the disk is full'],
    [100e6, 'warning', '100 MB free'],
    [1e9, 'ok', '1000 MB free'],
    [42e9, 'ok', '42 GB free'],
  ])('with %d bytes left', (freeBytes, mark, message) => {
    const disk = { path, exists: true, writable: true, network: null };
    expect(judgeSpace({ ...disk, freeBytes })).toMatchObject({ mark, message });
  });

  test.each<[string, boolean, Mark]>([
    ['NFS', true, 'fault'],
    ['FUSE', false, 'warning'],
  ])('on %s', (name, certain, mark) => {
    const disk = { path, exists: false, writable: true, freeBytes: 1e10 };
    const look = { dialect: 'sqlite', disk: { ...disk, network: { name, certain } } } as const;
    expect(judgeLog({ ...look, file: null })).toMatchObject({
      mark,
      message: expect.stringContaining(name),
    });
  });
});

describe('calhook doctor of PostgreSQL', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase('postgres');
    return () => database.drop();
  });

  function urlWith(change: (url: URL) => void): string {
    const url = new URL(database.url);
    change(url);
    return url.href;
  }

  test.each<[string, (url: URL) => void, string]>([
    [
      'a wrong password',
      (url) => {
        url.password = 'not-the-password';
      },
      'PostgreSQL refuses the user or the password',
    ],
    [
      'a database that is not there',
      (url) => {
        url.pathname = '/nowhere';
      },
      'PostgreSQL has no such database',
    ],
    [
      'a port where nothing listens',
      (url) => {
        url.port = '1';
      },
      'PostgreSQL cannot be reached: nothing listens there',
    ],
    [
      'a host that is not there',
      (url) => {
        url.hostname = 'calhook.invalid';
      },
      'PostgreSQL cannot be reached: its name cannot be resolved',
    ],
  ])('at %s', async (_, change, message) => {
    const { byName, failed } = await examine(urlWith(change));
    expect(byName.database).toMatchObject({ mark: 'fault', message });
    for (const check of ['tables', 'writing', 'btree_gist', 'encryption keys']) {
      expect(byName[check]?.message).toBe('cannot be told: the database cannot be read');
    }
    expect(JSON.stringify(byName)).not.toContain('not-the-password');
    expect(failed).toBe(true);
  });

  test('that does not answer', async () => {
    const deaf = createServer().listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as AddressInfo;
    const url = urlWith((changed) => {
      changed.port = String(port);
    });
    const { byName } = await examine(url, {}, 2_500);
    deaf.close();
    expect(byName.database).toMatchObject({
      mark: 'fault',
      message: expect.stringContaining('PostgreSQL cannot be reached'),
    });
  });

  test('that only lets itself be read', async () => {
    await migrated(database);
    const name = new URL(database.url).pathname.slice(1);
    await runSql(database, `alter database ${name} set default_transaction_read_only = on`);
    const { byName, failed } = await examine(database.url);
    expect(byName.writing).toMatchObject({
      mark: 'fault',
      message: expect.stringContaining('can only be read'),
    });
    expect(byName.tables?.mark).toBe('ok');
    expect(failed).toBe(true);
  });

  test('as a user without rights', async () => {
    const role = new URL(database.url).pathname.slice(1).replace('test', 'reader');
    await runSql(database, `create role ${role} login password 'reads'`);
    const url = urlWith((changed) => {
      changed.username = role;
      changed.password = 'reads';
    });
    try {
      const before = await examine(url);
      expect(before.byName.writing).toMatchObject({
        mark: 'fault',
        message: 'tables have to be made, and this user may not make any',
      });
      expect(before.byName.btree_gist).toMatchObject({
        mark: 'fault',
        message: 'not installed in this database, and this user may not install it',
      });
      await migrated(database);
      await runSql(database, `grant select on all tables in schema public to ${role}`);
      await runSql(database, `grant insert, update, delete on bots to ${role}`);
      const { byName, failed } = await examine(url);
      expect(byName.btree_gist).toMatchObject({ mark: 'ok', message: 'installed' });
      expect(byName.writing).toMatchObject({ mark: 'fault' });
      expect(byName.writing?.message).toMatch(/may not read and change .*appointments/);
      expect(byName.writing?.message).not.toContain('bots');
      expect(failed).toBe(true);
    } finally {
      await runSql(database, `drop owned by ${role}`);
      await runSql(database, `drop role ${role}`);
    }
  });

  const server: PostgresServer = {
    version: 180_004,
    btreeGist: 'available',
    readOnly: false,
    mayCreate: true,
    mayExtend: true,
    denied: [],
  };
  test.each<[string, Partial<PostgresServer>, Mark]>([
    ['available', {}, 'ok'],
    ['installed', { btreeGist: 'installed', mayExtend: false }, 'ok'],
    ['absent', { btreeGist: 'absent' }, 'fault'],
    ['available to others', { mayExtend: false }, 'fault'],
    ['available to superusers, as in version 12', { version: 120_009 }, 'fault'],
  ])('with btree_gist %s', (_, facts, mark) => {
    expect(judgeBtreeGist({ ...server, ...facts }).mark).toBe(mark);
  });

  test('of an old version', () => {
    expect(judgeVersion({ version: 120_009 })).toMatchObject({
      mark: 'warning',
      message: expect.stringContaining('PostgreSQL 12'),
    });
    expect(judgeVersion(server)).toEqual({ mark: 'ok', message: 'PostgreSQL 18' });
    expect(judgeRights(server, { missing: ['0001-initial'], unknown: [] }).mark).toBe('ok');
  });
});
