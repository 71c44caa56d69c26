import { readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../src/db/index.ts';
import type { Mark } from '../src/doctor/finding.ts';
import { judgeLog, judgeSpace } from '../src/doctor/sqlite.ts';
import { createTestDatabase, type TestDatabase } from './support/databases.ts';
import { migrated, withSurroundings } from './support/examined.ts';
import { runSql } from './support/stored.ts';

const examine = withSurroundings();

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
