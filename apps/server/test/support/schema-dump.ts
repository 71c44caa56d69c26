import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DialectName } from '../../src/db/dialect.ts';
import { openDatabase } from '../../src/db/index.ts';
import { createTestDatabase, type TestDatabase } from './databases.ts';
import { runSql } from './stored.ts';

/** The file that shows the tables of a database, as its migrations make them. */
export function schemaFile(dialect: DialectName): string {
  return fileURLToPath(new URL(`../../src/db/schema.${dialect}.sql`, import.meta.url));
}

const heading =
  '-- What the migrations make; rewritten by `npm run schema:dump`, compared by a test.\n\n';

async function dumpSqlite(database: TestDatabase): Promise<string> {
  const rows = await runSql(
    database,
    `select sql from sqlite_schema
     where sql is not null and name not like 'sqlite_%' and name not like 'kysely_%'
     order by tbl_name, type <> 'table', name`,
  );
  return rows.map((row) => `${layOut(String(row.sql))};`).join('\n\n');
}

/** One column or constraint a line, however the statement was written. */
function layOut(statement: string): string {
  const text = statement.replace(/\s+/g, ' ').trim();
  if (!/^create table/i.test(text)) return text;
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const sign of text.slice(open + 1, close)) {
    if (sign === '(') depth++;
    if (sign === ')') depth--;
    if (sign === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += sign;
  }
  return `${text.slice(0, open).trim()} (\n  ${[...parts, part.trim()].join(',\n  ')}\n${text.slice(close)}`;
}

async function dumpPostgres(database: TestDatabase): Promise<string> {
  const tables = await runSql(
    database,
    `select tablename as name from pg_tables
     where schemaname = 'public' and tablename not like 'kysely_%' order by tablename`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const columns = await runSql(
      database,
      `select format('%I %s%s%s', attname, format_type(atttypid, atttypmod),
         case when attnotnull then ' not null' else '' end,
         coalesce(' default ' || pg_get_expr(adbin, adrelid), '')) as line
       from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
       where attrelid = '${name}'::regclass and attnum > 0 and not attisdropped order by attnum`,
    );
    const constraints = await runSql(
      database,
      `select format('constraint %I %s', conname, pg_get_constraintdef(oid)) as line
       from pg_constraint where conrelid = '${name}'::regclass and contype <> 'n' order by conname`,
    );
    const indexes = await runSql(
      database,
      `select indexdef || ';' as line from pg_indexes
       where schemaname = 'public' and tablename = '${name}' and indexname not in
         (select conname from pg_constraint where conrelid = '${name}'::regclass)
       order by indexname`,
    );
    const lines = [...columns, ...constraints].map(({ line }) => `  ${line}`);
    const table = `create table ${name} (\n${lines.join(',\n')}\n);`;
    texts.push([table, ...indexes.map(({ line }) => String(line))].join('\n'));
  }
  return texts.join('\n\n');
}

/** The tables of a freshly migrated database, read from its own catalogue. */
export async function dumpSchema(dialect: DialectName): Promise<string> {
  const database = await createTestDatabase(dialect);
  try {
    await (await openDatabase(database.url)).close();
    const dump = await (dialect === 'sqlite' ? dumpSqlite : dumpPostgres)(database);
    return `${heading}${dump}\n`;
  } finally {
    await database.drop();
  }
}

/** Rewrites the committed dump. */
export async function writeSchema(dialect: DialectName): Promise<void> {
  await writeFile(schemaFile(dialect), await dumpSchema(dialect));
}
