import { beforeEach, expect, test } from 'vitest';
import type { Mark } from '../src/doctor/finding.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { migrated, withSurroundings } from './support/examined.ts';
import { runSql } from './support/stored.ts';
import { openTestApp } from './support/test-app.ts';

const examine = withSurroundings();

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
