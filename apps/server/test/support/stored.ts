import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import type { TestDatabase } from './databases.ts';
import type { TestApp } from './test-app.ts';

type Row = Record<string, unknown>;

/** A connection beside the server's. */
export interface SqlConnection {
  run(statement: string): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openSql(database: TestDatabase): Promise<SqlConnection> {
  if (database.dialect === 'sqlite') {
    const db = new DatabaseSync(database.url.slice('sqlite:'.length), { timeout: 5_000 });
    return {
      run: async (statement) => db.prepare(statement).all() as Row[],
      close: async () => db.close(),
    };
  }
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return {
    run: async (statement) => (await client.query(statement)).rows as Row[],
    close: () => client.end(),
  };
}

/** Runs a statement on a connection of its own, beside the server. */
export async function runSql(database: TestDatabase, statement: string): Promise<Row[]> {
  const sql = await openSql(database);
  try {
    return await sql.run(statement);
  } finally {
    await sql.close();
  }
}

async function tableNames(database: TestDatabase): Promise<string[]> {
  const rows = await runSql(
    database,
    database.dialect === 'sqlite'
      ? "select name from sqlite_schema where type = 'table' order by name"
      : "select tablename as name from pg_tables where schemaname = 'public' order by 1",
  );
  return rows.map((row) => String(row.name));
}

/** Every field of every table that holds something, as text. */
export async function allFields(
  database: TestDatabase,
): Promise<{ table: string; column: string; text: string }[]> {
  const fields: { table: string; column: string; text: string }[] = [];
  for (const table of await tableNames(database)) {
    for (const row of await runSql(database, `select * from "${table}"`)) {
      for (const [column, value] of Object.entries(row)) {
        if (value !== null) fields.push({ table, column, text: String(value) });
      }
    }
  }
  return fields;
}

/** Every row of every table, as text. */
export async function dumpAllTables(database: TestDatabase): Promise<string> {
  const dumps: string[] = [];
  for (const table of await tableNames(database)) {
    const rows = await runSql(database, `select * from "${table}"`);
    dumps.push(`${table}\n${rows.map((row) => JSON.stringify(row)).join('\n')}`);
  }
  return dumps.join('\n\n');
}

/**
 * What lies on the disk: SQLite's file with its write-ahead log. PostgreSQL's files belong to a
 * server that all tests share, so there the rows themselves are looked at.
 */
export async function databaseBytes(database: TestDatabase): Promise<string> {
  if (database.dialect === 'postgres') return dumpAllTables(database);
  const path = database.url.slice('sqlite:'.length);
  return ['', '-wal'].map((end) => readFileSync(path + end, 'latin1')).join('\n');
}

/** What bookings leave behind: rows, and events in Google. Equal before and after: nothing stored. */
export async function bookingTraces(server: TestApp): Promise<Record<string, number>> {
  const [counts] = await runSql(
    server.database,
    `select (select count(*) from appointments) as appointments,
       (select count(*) from claims) as claims, (select count(*) from activity) as activity`,
  );
  const traces: Record<string, number> = {};
  for (const [table, count] of Object.entries(counts ?? {})) traces[table] = Number(count);
  for (const email of ['ada@example.com', 'grace@example.com']) {
    traces[email] = server.sandbox.events(email).length;
  }
  return traces;
}
