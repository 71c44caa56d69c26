import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type Compilable,
  type CompiledQuery,
  Kysely,
  type QueryResult,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
  sql,
} from 'kysely';
import type { CommitWhen, Database } from './database.ts';
import { migrateToLatest } from './migrate.ts';
import type { Schema } from './schema.ts';
import { SqliteChangeFeed } from './sqlite-change-feed.ts';
import type { Transaction } from './transaction.ts';

/** How long a writer waits for another process's transaction, in milliseconds. */
const busyTimeoutMs = 5_000;
/** How many transactions may share one commit. */
const maxTransactionsPerCommit = 128;
/** How long a transaction that nobody waits for may wait for others to share its commit, in milliseconds. */
const soonMs = 100;

/** Lets Kysely's SQLite dialect run on `node:sqlite`; statements are compiled once. */
class NodeSqlite implements SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = adaptStatement(this.#db.prepare(sql));
      // The set of statements is fixed by the code, but for lists of varying length (`in (…)`).
      if (this.#statements.size >= 1_000) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...values(parameters)),
    run: (parameters) => statement.run(...values(parameters)),
    iterate: (parameters) => statement.iterate(...values(parameters)),
  };
}

interface QueuedTransaction {
  run(tx: Transaction): Promise<() => void>;
  fail(error: unknown): void;
}

/**
 * Runs transactions one after another on one connection and commits those that wait together.
 *
 * A commit with `synchronous=FULL` costs an fsync (0.3 ms on the machine this was measured on, ten
 * times the statements of a booking); SQLite has one writer anyway, so transactions that arrive in the same
 * turn of the event loop share one. Each is a savepoint of its own: one that fails takes no other
 * along, and none is acknowledged before the commit. Those that nobody waits for join the next one, or
 * have one among themselves.
 */
class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #tx: Transaction;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  readonly #rollbackTo: StatementSync;
  readonly #waiting: QueuedTransaction[] = [];
  #soon: NodeJS.Timeout | undefined;
  #draining: Promise<void> | null = null;

  constructor(db: DatabaseSync, tx: Transaction) {
    this.#db = db;
    this.#tx = tx;
    this.#savepoint = db.prepare('savepoint one');
    this.#release = db.prepare('release one');
    this.#rollbackTo = db.prepare('rollback to one');
  }

  run<T>(work: (tx: Transaction) => Promise<T>, when: CommitWhen): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        run: async (tx) => {
          const value = await work(tx);
          return () => resolve(value);
        },
        fail: reject,
      });
      if (when === 'now') this.#begin();
      else this.#soon ??= setTimeout(() => this.#begin(), soonMs);
    });
  }

  #begin(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#draining ??= this.#drain();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#soon) this.#begin();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // Before anything else: with nothing waiting, this would end before it is noted as under way.
    await this.#gathered();
    while (this.#waiting.length > 0) {
      await this.#commitTogether(this.#waiting.splice(0, maxTransactionsPerCommit));
      await this.#gathered();
    }
    this.#draining = null;
  }

  /**
   * Resolves when a turn of the event loop has brought no further transaction, or enough came: one
   * commit for those of several turns takes less of everybody's time than one for each turn.
   */
  async #gathered(): Promise<void> {
    for (let before = 0; before < this.#waiting.length; ) {
      before = this.#waiting.length;
      if (before >= maxTransactionsPerCommit) return;
      // After the poll phase: everything that this turn read from sockets has queued up.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async #commitTogether(group: readonly QueuedTransaction[]): Promise<void> {
    const acknowledge: (() => void)[] = [];
    let failed = 0;
    try {
      this.#db.exec('begin immediate');
      for (const one of group) {
        this.#savepoint.run();
        try {
          acknowledge.push(await one.run(this.#tx));
        } catch (error) {
          failed++;
          this.#rollbackTo.run();
          acknowledge.push(() => one.fail(error));
        }
        this.#release.run();
      }
      // What a savepoint undid would be written and synced all the same.
      this.#db.exec(failed < group.length ? 'commit' : 'rollback');
    } catch (error) {
      // Begin or commit failed (disk full, busy for too long): nothing of the group is stored.
      if (this.#db.isTransaction) this.#db.exec('rollback');
      for (const one of group) one.fail(error);
      return;
    }
    for (const settle of acknowledge) settle();
  }
}

/** The file that a database URL names. */
export function sqlitePath(databaseUrl: string): string {
  return resolve(databaseUrl.slice('sqlite:'.length));
}

/** Opens a connection with what every one needs; a writing one turns the write-ahead log on. */
export function openConnection(path: string, readOnly: boolean): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs });
  if (!readOnly) {
    db.exec('pragma journal_mode = wal; pragma synchronous = full');
    // A checkpoint stops the writer; 16 MB at a time do so four times less often than the default.
    db.exec('pragma wal_autocheckpoint = 4000');
  }
  db.exec('pragma foreign_keys = on; pragma cache_size = -16384; pragma mmap_size = 268435456');
  return db;
}

/** Queries on one connection; those that are compiled already skip the way through Kysely. */
export class Connection extends Kysely<Schema> {
  readonly #database: NodeSqlite;

  constructor(db: DatabaseSync) {
    const database = new NodeSqlite(db);
    super({ dialect: new SqliteDialect({ database }) });
    this.#database = database;
  }

  override async executeQuery<Row>(
    query: CompiledQuery<Row> | Compilable<Row>,
  ): Promise<QueryResult<Row>> {
    const compiled = 'compile' in query ? query.compile() : query;
    const statement = this.#database.prepare(compiled.sql);
    if (!statement.reader) return super.executeQuery(compiled);
    return { rows: statement.all(compiled.parameters) as Row[] };
  }

  write(query: CompiledQuery): number {
    return Number(this.#database.prepare(query.sql).run(query.parameters).changes);
  }

  async lock(): Promise<void> {
    // `begin immediate` made this the one writer.
  }
}

/**
 * Opens (and creates) a SQLite database: one connection that writes, one that only reads, so that
 * no reader sees a transaction that is not committed.
 */
export async function openSqlite(databaseUrl: string): Promise<Database> {
  const path = sqlitePath(databaseUrl);
  mkdirSync(dirname(path), { recursive: true });
  const writer = openConnection(path, false);
  const writing = new Connection(writer);
  const migrated = await migrateToLatest(writing, 'sqlite');
  // What a savepoint would undo: in a file, it is half of all that a booking writes. Migrations come
  // first, since an index of a large table is sorted there, too.
  writer.exec('pragma temp_store = memory');
  const commits = new GroupCommit(writer, writing);
  const reader = openConnection(path, true);
  const reading = new Connection(reader);
  const changes = new SqliteChangeFeed(writer, reader);
  return {
    dialect: 'sqlite',
    migrated,
    read: reading,
    changes,
    transaction: (work, when = 'now') => commits.run(work, when),
    async ping() {
      await sql`select 1`.execute(reading);
    },
    async close() {
      await commits.idle();
      await changes.close();
      await reading.destroy();
      await writing.destroy();
    },
  };
}
