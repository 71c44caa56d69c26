import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PostgresServer } from '../src/db/index.ts';
import type { Mark } from '../src/doctor/finding.ts';
import { judgeBtreeGist, judgeRights, judgeVersion } from '../src/doctor/postgres.ts';
import { createTestDatabase, type TestDatabase } from './support/databases.ts';
import { migrated, withSurroundings } from './support/examined.ts';
import { runSql } from './support/stored.ts';

const examine = withSurroundings();

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
        // An empty label: refused by the resolver of this machine, without a network.
        url.hostname = 'calhook..invalid';
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
