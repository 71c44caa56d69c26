import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Database, openDatabase } from '../src/db/index.ts';
import { enqueue, type Job } from '../src/jobs/jobs.ts';
import { Worker, workerPolicy } from '../src/jobs/worker.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';

const count = 400;
const lanes = 20;

type WorkerProcess = ChildProcessByStdio<Writable, Readable, null>;

describeOnEachDatabase('workers in processes of their own', (dialect) => {
  let file: TestDatabase;
  let database: Database;
  let children: { process: WorkerProcess; lines: string[] }[];
  beforeEach(async () => {
    children = [];
    file = await createTestDatabase(dialect);
    database = await openDatabase(file.url);
  });
  afterEach(async () => {
    for (const child of children) await kill(child);
    await database.close();
    await file.drop();
  });

  async function startWorker() {
    const script = join(import.meta.dirname, 'support/worker-process.ts');
    const process_ = spawn(process.execPath, [script, file.url], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const child = { process: process_, lines: [] as string[] };
    children.push(child);
    const lines = createInterface({ input: process_.stdout });
    lines.on('line', (line) => child.lines.push(line));
    await once(lines, 'line');
    return child;
  }

  async function kill({ process: child }: { process: WorkerProcess }) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  const ask = (kind: string, keys: readonly string[]) =>
    database.transaction(async (tx) => {
      for (const [i, key] of keys.entries()) {
        const lane = `calendar ${i % lanes}`;
        await enqueue(tx, { kind, key, lane, botId: null, dueAt: Date.now() });
      }
    });
  const keys = Array.from({ length: count }, (_, i) => `job-${i}`);
  const jobsLeft = () => runSql(file, 'select * from jobs');
  const effects = async () =>
    (await runSql(file, 'select client_id from activity')).map((row) => String(row.client_id));

  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

  test('share the jobs, and each has its effect once', { timeout: 60_000 }, async () => {
    const workers = await Promise.all([startWorker(), startWorker()]);
    const hanging = () =>
      workers.map(({ lines }) => lines.filter((line) => line.startsWith('hanging')).length);
    // One process has places for fewer than there are, and none is free before all have begun.
    expect(lanes).toBeGreaterThan(workerPolicy.concurrency);
    await ask('hang', keys.slice(0, lanes));
    await vi.waitFor(() => expect(sum(hanging())).toBe(lanes), { timeout: 20_000 });
    expect(Math.max(...hanging())).toBeLessThanOrEqual(workerPolicy.concurrency);
    await ask('effect', keys);
    for (const worker of workers) worker.process.stdin.write('go on\n');
    await vi.waitFor(async () => expect(await jobsLeft()).toEqual([]), { timeout: 40_000 });
    expect((await effects()).sort()).toEqual([...keys].sort());
    expect(sum(hanging())).toBe(lanes);
  });

  test('leave what they ran when they were killed to others', { timeout: 60_000 }, async () => {
    const killed = await startWorker();
    await ask('hang', ['stuck']);
    await vi.waitFor(() => expect(killed.lines).toContain('hanging stuck'), { timeout: 20_000 });
    await ask('effect', keys);
    await vi.waitFor(() => expect(killed.lines.length).toBeGreaterThan(30), { timeout: 20_000 });
    await kill(killed);
    expect(await jobsLeft()).not.toEqual([]);

    // Its leases last for a minute more; this process's clock is past them.
    const ran: Job[] = [];
    const worker = new Worker({
      database,
      handlers: {
        async hang(job) {
          ran.push(job);
        },
        async effect(job) {
          ran.push(job);
          const row = { id: job.key, client_id: job.key, at: 0, kind: job.kind, subject_id: null };
          await database.transaction((tx) =>
            tx
              .insertInto('activity')
              .values({ ...row, detail: '{}' })
              .execute(),
          );
        },
      },
      log: pino({ level: 'silent' }),
      now: () => Date.now() + workerPolicy.leaseMs,
      policy: workerPolicy,
    });
    await worker.runDue();
    await worker.close();
    expect(ran).toContainEqual(
      expect.objectContaining({ key: 'stuck', attempts: 2, lastError: 'LeaseEnded' }),
    );
    expect(await jobsLeft()).toEqual([]);
    expect((await effects()).sort()).toEqual([...keys].sort());
  });
});
