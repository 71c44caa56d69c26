import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const rivals = 100;

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp({ dialect: 'postgres' });
});
afterAll(() => server.close());

test('a calendar that many want at once leaves connections to PostgreSQL for others', async () => {
  const hot = await server.connectedBot('ada@example.com');
  const other = await server.connectedBot('grace@example.com');
  for (const bot of [hot, hot, other]) {
    expect((await book(server, bot, bookingOf())).status).toBe(201);
  }
  const [row] = await runSql(
    server.database,
    `select calendar from appointments where client_id = '${hot}'`,
  );
  // Whoever has the lock of the calendar's claims takes his time.
  const slow = new pg.Client({ connectionString: server.database.url });
  await slow.connect();
  await slow.query('select pg_advisory_lock(hashtextextended($1, 0))', [row?.calendar]);
  const slot = freeSlot();
  const wanted = Promise.all(
    Array.from({ length: rivals }, (_, i) =>
      book(server, hot, bookingOf({ ...slot, email: `customer-${i}@example.org` })),
    ),
  );
  const waiting = async () => {
    const { rows } = await slow.query(
      `select count(*) from pg_locks where locktype = 'advisory' and not granted`,
    );
    return Number(rows[0].count);
  };
  await expect.poll(waiting).toBeGreaterThan(0);
  expect((await book(server, other, bookingOf())).status).toBe(201);
  await slow.end();
  const statuses = (await wanted).map(({ status }) => status).sort();
  expect(statuses).toEqual([201, ...Array(rivals - 1).fill(409)]);
});
