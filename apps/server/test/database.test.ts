import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Database,
  isOverlapViolation,
  isUniqueViolation,
  openDatabase,
  type Transaction,
} from '../src/db/index.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';

const botRow = (id: string) => ({
  id,
  name: id,
  time_zone: 'UTC',
  duration_minutes: 30,
  language: 'en',
  weekly_hours: null,
  rules: '{}',
  allowed_origins: '[]',
  created_at: 0,
  updated_at: 0,
});

describeOnEachDatabase('the database', (dialect) => {
  let files: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    files = await createTestDatabase(dialect);
    database = await openDatabase(files.url);
    await database.transaction((tx) => tx.insertInto('bots').values(botRow('bot-a')).execute());
    await database.transaction((tx) =>
      tx
        .insertInto('appointments')
        .values({
          id: 'apt-1',
          client_id: 'bot-a',
          customer_name: '',
          customer_email: '',
          customer_phone: null,
          appointment_date: '',
          appointment_time: '',
          status: 'confirmed',
          google_event_id: null,
          created_at: 0,
          time_zone: 'UTC',
          starts_at: 0,
          ends_at: 1,
          notes: null,
          answers: '{}',
          calendar: 'ada/primary',
          event_link: null,
          meet_link: null,
          failure: null,
          updated_at: 0,
          language: 'en',
          revision: 1,
          written_revision: 1,
          unverified: 0,
          etag: null,
          conflict_since: null,
          cancelled_by: null,
        })
        .execute(),
    );
  });
  afterAll(async () => {
    await database.close();
    await files.drop();
  });

  const insertBot = (id: string) => (tx: Transaction) =>
    tx.insertInto('bots').values(botRow(id)).execute();
  const botIds = async () =>
    (await database.read.selectFrom('bots').select('id').execute()).map(({ id }) => id);
  const claim = (id: string, calendar: string, from: number, to: number) =>
    runSql(
      files,
      `insert into claims (id, calendar, client_id, starts_at, ends_at, booked_start, booked_end, appointment_id, created_at)
       values ('${id}', '${calendar}', 'bot-a', ${from}, ${to}, ${from}, ${to}, 'apt-1', 0)`,
    );

  test.each([
    ['the same span', 100, 200],
    ['its beginning', 50, 101],
    ['its end', 199, 250],
    ['a part of it', 120, 130],
    ['more than it', 0, 1_000],
  ])('itself refuses a claim over %s', async (name, from, to) => {
    const calendar = `calendar of ${name}`;
    await claim(`${name} 1`, calendar, 100, 200);
    const error: unknown = await claim(`${name} 2`, calendar, from, to).catch((thrown) => thrown);
    expect(isOverlapViolation(error)).toBe(true);
    await claim(`${name} 3`, calendar, 200, 300);
    await claim(`${name} 4`, calendar, 0, 50);
    await claim(`${name} 5`, `another ${calendar}`, from, to);
    const moved: unknown = await runSql(
      files,
      `update claims set starts_at = 150 where id = '${name} 3'`,
    ).catch((thrown) => thrown);
    expect(isOverlapViolation(moved)).toBe(true);
  });

  test.each([
    ['that ends before it begins', 200, 100],
    ['that is empty', 100, 100],
  ])('itself refuses a claim %s', async (name, from, to) => {
    await expect(claim(name, name, from, to)).rejects.toThrow();
    expect(await runSql(files, `select * from claims where id = '${name}'`)).toEqual([]);
  });

  test('a transaction that fails leaves nothing, and takes no other along', async () => {
    const attempts = Array.from({ length: 20 }, (_, i) =>
      database.transaction(async (tx) => {
        await insertBot(`bot-${i}`)(tx);
        if (i % 4 === 1) await insertBot('bot-a')(tx);
        if (i % 4 === 2) throw new Error(`of ${i}`);
        return i;
      }),
    );
    const outcomes = await Promise.allSettled(attempts);
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 4 === 1) {
        expect(outcome.status).toBe('rejected');
        expect(outcome.status === 'rejected' && isUniqueViolation(outcome.reason)).toBe(true);
      } else if (i % 4 === 2) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { message: `of ${i}` } });
      } else expect(outcome).toEqual({ status: 'fulfilled', value: i });
    }
    const stored = new Set(await botIds());
    for (let i = 0; i < 20; i++) expect(stored.has(`bot-${i}`)).toBe(i % 4 === 0 || i % 4 === 3);
  });

  test('what nobody waits for is stored as well, alone, with others and on closing', async () => {
    await database.transaction(insertBot('bot-soon'), 'soon');
    expect(await botIds()).toContain('bot-soon');
    const together = await Promise.allSettled([
      database.transaction(insertBot('bot-soon-1'), 'soon'),
      database.transaction(insertBot('bot-a'), 'soon'),
      database.transaction(insertBot('bot-now')),
      database.transaction(insertBot('bot-soon-2'), 'soon'),
    ]);
    expect(together.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    const other = await openDatabase(files.url);
    const late = other.transaction(insertBot('bot-soon-last'), 'soon');
    const closed = other.close();
    await late;
    await closed;
    for (const id of ['bot-soon-1', 'bot-now', 'bot-soon-2', 'bot-soon-last']) {
      expect(await botIds()).toContain(id);
    }
  });

  test('what is committed is read by others at once, what is not by nobody', async () => {
    let seenBefore: string[] = [];
    await database.transaction(async (tx) => {
      await insertBot('bot-late')(tx);
      seenBefore = await botIds();
    });
    expect(seenBefore).not.toContain('bot-late');
    expect(await botIds()).toContain('bot-late');
    const rows = await runSql(files, `select id from bots where id = 'bot-late'`);
    expect(rows).toHaveLength(1);
  });

  test('a deleted bot takes its rows along', async () => {
    await claim('of a bot', 'cascade', 0, 1);
    await database.transaction((tx) => tx.deleteFrom('bots').where('id', '=', 'bot-a').execute());
    for (const table of ['appointments', 'claims']) {
      expect(await runSql(files, `select * from ${table}`)).toEqual([]);
    }
  });
});
