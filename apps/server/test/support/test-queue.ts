import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { DialectName } from '../../src/db/dialect.ts';
import { type Database, openDatabase } from '../../src/db/index.ts';
import { enqueue, type Job, type JobHandler, type NewJob, settle } from '../../src/jobs/jobs.ts';
import { Worker, type WorkerPolicy, workerPolicy } from '../../src/jobs/worker.ts';
import { createTestDatabase, type TestDatabase } from './databases.ts';
import { runSql } from './stored.ts';

export const second = 1_000;
export const day = 24 * 3_600 * second;
/** What the clock shows when a test begins. */
export const startOfQueue = Date.parse('2026-01-12T08:00:00Z');

/** Something that a test lets happen when it wants to. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

/** A worker, and the jobs that it ran. */
interface Recorder {
  readonly worker: Worker;
  readonly jobs: readonly Job[];
  keys(): string[];
}

/** A queue that is empty when a test begins, and workers that end with it. */
export interface TestQueue {
  /** The clock, in epoch milliseconds. */
  now: number;
  readonly database: Database;
  /** What its workers logged. */
  readonly log: readonly string[];
  /** Asks for a job of the kind `mail`, due now unless `job` says otherwise. */
  ask(key: string, job?: Partial<NewJob>): Promise<void>;
  settled(key: string): Promise<void>;
  /** The rows of the jobs, in the order of asking. */
  stored(): Promise<Record<string, unknown>[]>;
  workerOf(
    handlers: Record<string, JobHandler>,
    options?: { policy?: Partial<WorkerPolicy>; random?: () => number },
  ): Worker;
  /** A worker that notes which jobs of the kind `mail` it ran. */
  recorder(behaviour?: JobHandler, policy?: Partial<WorkerPolicy>): Recorder;
}

/** Opens a queue for the tests of a suite. */
export function testQueue(dialect: DialectName): TestQueue {
  let file: TestDatabase;
  let database: Database;
  let log: string[];
  let workers: Worker[];
  beforeAll(async () => {
    file = await createTestDatabase(dialect);
    database = await openDatabase(file.url);
  });
  afterAll(async () => {
    await database.close();
    await file.drop();
  });
  beforeEach(async () => {
    queue.now = startOfQueue;
    log = [];
    workers = [];
    await database.transaction((tx) => tx.deleteFrom('jobs').execute());
  });
  afterEach(async () => {
    for (const worker of workers) await worker.close();
  });

  const queue: TestQueue = {
    now: startOfQueue,
    get database() {
      return database;
    },
    get log() {
      return log;
    },
    ask: (key, job = {}) =>
      database.transaction((tx) =>
        enqueue(tx, { kind: 'mail', key, lane: null, botId: null, dueAt: queue.now, ...job }),
      ),
    settled: (key) => database.transaction((tx) => settle(tx, 'mail', key)),
    stored: () => runSql(file, 'select * from jobs order by position'),
    workerOf(handlers, { policy = {}, random = () => 1 } = {}) {
      const worker = new Worker({
        database,
        handlers,
        log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
        now: () => queue.now,
        policy: { ...workerPolicy, ...policy },
        random,
      });
      workers.push(worker);
      return worker;
    },
    recorder(behaviour = async () => {}, policy = {}) {
      const jobs: Job[] = [];
      const mail: JobHandler = (job, run) => {
        jobs.push(job);
        return behaviour(job, run);
      };
      const worker = queue.workerOf({ mail }, { policy });
      return { worker, jobs, keys: () => jobs.map(({ key }) => key) };
    },
  };
  return queue;
}
