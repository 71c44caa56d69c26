import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { type Database, openDatabase } from '../src/db/index.ts';
import { enqueue, type JobHandler } from '../src/jobs/jobs.ts';
import { Worker, workerPolicy } from '../src/jobs/worker.ts';
import { createTestDatabase, describeOnEachDatabase } from './support/databases.ts';

const start = Date.parse('2026-01-12T08:00:00Z');
const count = 1_000;
const lanes = 20;
const rounds = process.env.CALHOOK_LONG ? 50 : 3;

/** One job: its lane, when it is due, how long it takes, and how often it fails. */
const jobs = fc.array(
  fc.record({
    lane: fc.nat(lanes - 1),
    dueInMs: fc.integer({ min: -50, max: 0 }),
    turns: fc.nat(3),
    failures: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat(3) },
    ),
  }),
  { minLength: count, maxLength: count, size: 'max' },
);

describeOnEachDatabase('two workers on one database', (dialect) => {
  test('run each job once, those of a lane one at a time and in order', {
    timeout: rounds * 60_000,
  }, async () => {
    const file = await createTestDatabase(dialect);
    const databases = [await openDatabase(file.url), await openDatabase(file.url)] as const;
    await fc.assert(
      fc.asyncProperty(jobs, async (asked) => {
        let now = start;
        const busy = new Map<string, string>();
        const overlaps: string[] = [];
        /** Keys of the jobs that succeeded, by lane, in the order in which they began. */
        const succeeded = new Map<string, number[]>();
        const runs = new Array<number>(count).fill(0);
        const shares = [0, 0];

        const workerOn = (database: Database, share: number) => {
          const mail: JobHandler = async ({ key, lane, attempts }) => {
            const { turns = 0, failures = 0 } = asked[Number(key)] ?? {};
            const inLane = String(lane);
            if (busy.has(inLane)) overlaps.push(`${key} beside ${busy.get(inLane)} in ${inLane}`);
            busy.set(inLane, key);
            runs[Number(key)] = (runs[Number(key)] ?? 0) + 1;
            shares[share] = (shares[share] ?? 0) + 1;
            for (let i = 0; i < turns; i++) await turn();
            busy.delete(inLane);
            if (attempts <= failures) throw new Error('no');
            succeeded.set(inLane, [...(succeeded.get(inLane) ?? []), Number(key)]);
          };
          return new Worker({
            database,
            handlers: { mail },
            log: pino({ level: 'silent' }),
            now: () => now,
            policy: { ...workerPolicy, concurrency: 8 },
          });
        };

        await databases[0].transaction(async (tx) => {
          for (const [i, { lane, dueInMs }] of asked.entries()) {
            await enqueue(tx, {
              kind: 'mail',
              key: String(i),
              lane: `calendar ${lane}`,
              botId: null,
              dueAt: now + dueInMs,
            });
          }
        });
        const workers = databases.map(workerOn);
        /** Runs until nothing is due that this worker or the other could take. */
        const drain = async (worker: Worker) => {
          const busy = ({ due, running }: { due: number; running: number }) => due + running > 0;
          do {
            await worker.runDue();
            await turn();
          } while ((await worker.counts()).some(busy));
        };
        for (let tries = 0; tries <= 3; tries++) {
          await Promise.all(workers.map(drain));
          now += workerPolicy.maxPauseMs;
        }
        await Promise.all(workers.map((worker) => worker.close()));

        expect(overlaps).toEqual([]);
        expect(runs).toEqual(asked.map(({ failures }) => failures + 1));
        const left = await databases[0].read.selectFrom('jobs').select('key').execute();
        expect(left).toEqual([]);
        // One that fails lets others pass; those that do not, keep their order.
        for (const keys of succeeded.values()) {
          const order = keys.filter((key) => asked[key]?.failures === 0);
          const dueOf = (key: number) => asked[key]?.dueInMs ?? 0;
          expect(order).toEqual([...order].sort((a, b) => dueOf(a) - dueOf(b) || a - b));
        }
        // Neither did it alone.
        expect(Math.min(...shares)).toBeGreaterThan(count / 10);
      }),
      // Shrinking a thousand jobs takes longer than reading what overlapped.
      { numRuns: rounds, endOnFailure: true },
    );
    await Promise.all(databases.map((database) => database.close()));
    await file.drop();
  });
});
