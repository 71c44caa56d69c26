import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, inject } from 'vitest';
import type { DialectName } from '../../src/db/dialect.ts';

/** An empty database of its own, gone when it is dropped. */
export interface TestDatabase {
  readonly dialect: DialectName;
  readonly url: string;
  drop(): Promise<void>;
}

async function createSqlite(): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-sqlite-'));
  return {
    dialect: 'sqlite',
    url: `sqlite:${join(directory, 'calhook.db')}`,
    drop: () => rm(directory, { recursive: true, force: true }),
  };
}

async function runOnServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function createPostgres(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await runOnServer(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return {
    dialect: 'postgres',
    url: url.href,
    drop: () => runOnServer(`drop database ${name} with (force)`),
  };
}

const create: Readonly<Record<DialectName, () => Promise<TestDatabase>>> = {
  sqlite: createSqlite,
  postgres: createPostgres,
};

export function createTestDatabase(dialect: DialectName): Promise<TestDatabase> {
  return create[dialect]();
}

/** Runs the same suite on both databases. Neither can be left out: a server that fails to start fails the run. */
export function describeOnEachDatabase(name: string, suite: (dialect: DialectName) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} (%s)`, suite);
}
