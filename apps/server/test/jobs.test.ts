import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Database, openDatabase } from '../src/db/index.ts';
import { GoogleError } from '../src/google/index.ts';
import { enqueue, type Job, type JobHandler, type NewJob, settle } from '../src/jobs/jobs.ts';
import { Worker, type WorkerPolicy, workerPolicy } from '../src/jobs/worker.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';

const start = Date.parse('2026-01-12T08:00:00Z');
const second = 1_000;
const day = 24 * 3_600 * second;

/** Something that a test lets happen when it wants to. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

describeOnEachDatabase('the queue', (dialect) => {
  let file: TestDatabase;
  let database: Database;
  let now: number;
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
    now = start;
    log = [];
    workers = [];
    await database.transaction((tx) => tx.deleteFrom('jobs').execute());
  });
  afterEach(async () => {
    for (const worker of workers) await worker.close();
  });

  function workerOf(
    handlers: Record<string, JobHandler>,
    options: { policy?: Partial<WorkerPolicy>; random?: () => number; on?: Database } = {},
  ): Worker {
    const worker = new Worker({
      database: options.on ?? database,
      handlers,
      log: pino({ level: 'trace' }, { write: (line: string) => void log.push(line) }),
      now: () => now,
      policy: { ...workerPolicy, ...options.policy },
      random: options.random ?? (() => 1),
    });
    workers.push(worker);
    return worker;
  }

  const ask = (key: string, job: Partial<NewJob> = {}) =>
    database.transaction((tx) =>
      enqueue(tx, { kind: 'mail', key, lane: null, botId: null, dueAt: now, ...job }),
    );
  const settled = (key: string) => database.transaction((tx) => settle(tx, 'mail', key));
  const stored = () => runSql(file, 'select * from jobs order by position');

  /** A worker that notes which jobs it ran. */
  function recorder(behaviour: JobHandler = async () => {}) {
    const jobs: Job[] = [];
    const worker = workerOf({
      mail: (job, run) => {
        jobs.push(job);
        return behaviour(job, run);
      },
    });
    return { worker, jobs, keys: () => jobs.map(({ key }) => key) };
  }

  test('gives a handler the job as it was asked for, and forgets it when it is done', async () => {
    await ask('a', { lane: 'ada/primary', botId: 'bot-a', payload: { messageId: 'm1' } });
    const { worker, jobs } = recorder();
    expect(await worker.runDue()).toBe(1);
    const asked = { kind: 'mail', key: 'a', lane: 'ada/primary', botId: 'bot-a' };
    expect(jobs).toEqual([
      { ...asked, payload: { messageId: 'm1' }, attempts: 1, lastError: null },
    ]);
    expect(await stored()).toEqual([]);
    expect(await worker.runDue()).toBe(0);
  });

  test('runs nothing before its time, nor what was not committed', async () => {
    await ask('later', { dueAt: now + second });
    const failed = database.transaction(async (tx) => {
      await enqueue(tx, { kind: 'mail', key: 'undone', lane: null, botId: null, dueAt: now });
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    const { worker, keys } = recorder();
    await worker.runDue();
    expect(keys()).toEqual([]);
    now += second;
    await worker.runDue();
    expect(keys()).toEqual(['later']);
  });

  test('leaves jobs of kinds that it has no handler for', async () => {
    await ask('a', { kind: 'of a newer version' });
    expect(await recorder().worker.runDue()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  test('runs a lane in the order of due times, then of asking', async () => {
    await database.transaction(async (tx) => {
      const of = { kind: 'mail', lane: 'ada/primary', botId: null };
      await enqueue(tx, { ...of, key: 'z asked first', dueAt: now });
      await enqueue(tx, { ...of, key: 'a asked second', dueAt: now });
      await enqueue(tx, { ...of, key: 'm due before', dueAt: now - second });
    });
    const { worker, keys } = recorder();
    await worker.runDue();
    expect(keys()).toEqual(['m due before', 'z asked first', 'a asked second']);
  });

  test('runs as many at once as the policy allows', async () => {
    for (const key of 'abcdefgh') await ask(key);
    let running = 0;
    let most = 0;
    const mail = async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
    };
    expect(await workerOf({ mail }, { policy: { concurrency: 3 } }).runDue()).toBe(8);
    expect(most).toBe(3);
  });

  test.each([
    ['earlier', -second],
    ['later', second],
  ])('a job that is asked for again at a time that is %s is one job', async (_, difference) => {
    await ask('a', { dueAt: now + day, payload: { version: 1 } });
    await ask('a', { dueAt: now + day + difference, payload: { version: 2 } });
    now += day + Math.min(0, difference) - 1;
    const { worker, jobs } = recorder();
    await worker.runDue();
    expect(jobs).toEqual([]);
    now += 1;
    await worker.runDue();
    expect(jobs).toMatchObject([{ payload: { version: 2 } }]);
  });

  test('a job that backs off runs at once when it is asked for again, and starts over', async () => {
    await ask('a');
    const { worker, jobs } = recorder(async () => {
      throw new Error('no');
    });
    await worker.runDue();
    now += second;
    await worker.runDue();
    expect(await worker.runDue()).toBe(0);
    await ask('a');
    expect(await worker.runDue()).toBe(1);
    expect(jobs.map(({ attempts, lastError }) => [attempts, lastError])).toEqual([
      [1, null],
      [2, 'Error'],
      [1, null],
    ]);
  });

  test.each([
    ['succeeds', async () => undefined, day],
    // What was wanted today is not done: its back-off is earlier than the new wish.
    ['fails', async () => Promise.reject(new Error('no')), second],
    ['wants to run again', async () => ({ retryAt: start + 2 * second }), 2 * second],
    ['wants to run again later', async () => ({ retryAt: start + 5 * day }), day],
  ])('asked for while a run is under way that %s, it runs once more', async (_, end, pause) => {
    await ask('a', { payload: { version: 1 } });
    const { worker, jobs } = recorder(async ({ payload }) => {
      if (payload.version !== 1) return;
      await ask('a', { dueAt: now + 2 * day, payload: { version: 2 } });
      await ask('a', { dueAt: now + day, payload: { version: 3 } });
      await ask('a', { dueAt: now + 3 * day, payload: { version: 4 } });
      return end();
    });
    await worker.runDue();
    now += pause - 1;
    expect(await worker.runDue()).toBe(0);
    now += 1;
    expect(await worker.runDue()).toBe(1);
    expect(jobs.at(-1)).toMatchObject({ payload: { version: 4 }, attempts: 1, lastError: null });
    expect(await stored()).toEqual([]);
  });

  test('settled before it is due, it does not run', async () => {
    await ask('a');
    await ask('b');
    await settled('a');
    await settled('unknown');
    const { worker, keys } = recorder();
    await worker.runDue();
    expect(keys()).toEqual(['b']);
  });

  test.each([
    ['succeeds', async () => undefined],
    ['fails', async () => Promise.reject(new Error('no'))],
    ['wants to run again', async () => ({ retryAt: start + second })],
  ])('settled while a run is under way that %s, it does not run again', async (_, end) => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: now + 1 });
    const running = gate();
    const go = gate();
    const { worker, keys } = recorder(async (job) => {
      if (job.key === 'b') return;
      running.open();
      await go.passed;
      await ask('a');
      await settled('a');
      return end();
    });
    const done = worker.runDue();
    await running.passed;
    now += 1;
    await settled('a');
    // The run is not over, so its lane is busy.
    const other = recorder();
    expect(await other.worker.runDue()).toBe(0);
    go.open();
    await done;
    now += day;
    await worker.runDue();
    expect(keys()).toEqual(['a', 'b']);
    expect(await stored()).toEqual([]);
  });

  test('settled and then asked for while a run is under way, it runs once more', async () => {
    await ask('a');
    const { worker, jobs } = recorder(async ({ payload }) => {
      if (payload.version === 2) return;
      await settled('a');
      await ask('a', { payload: { version: 2 } });
      throw new Error('no');
    });
    expect(await worker.runDue()).toBe(2);
    expect(jobs.at(-1)).toMatchObject({ payload: { version: 2 }, attempts: 1, lastError: null });
  });

  test.each([
    ['with the full jitter', 1, new Error('no'), [1, 2, 4, 8, 16, 32, 60, 60]],
    ['with half of it', 0.5, new Error('no'), [0.5, 1, 2, 4, 8, 16, 30, 30]],
    ['with none', 0, new Error('no'), [0.001, 0.001]],
    [
      'and not before Google wants it',
      1,
      new GoogleError('events.insert', {
        kind: 'transient',
        status: 429,
        reason: 'rateLimitExceeded',
        retryAfterMs: 5 * second,
      }),
      [5, 5, 5, 8],
    ],
  ])('a job that fails backs off %s', async (_, chance, error, pauses) => {
    await ask('a');
    const runs: number[] = [];
    const mail = async () => {
      runs.push(now);
      throw error;
    };
    const policy = { firstPauseMs: second, maxPauseMs: 60 * second };
    const worker = workerOf({ mail }, { policy, random: () => chance });
    await worker.runDue();
    for (const pause of pauses) {
      now += pause * second - 1;
      expect(await worker.runDue()).toBe(0);
      now += 1;
      expect(await worker.runDue()).toBe(1);
    }
    expect(await stored()).toMatchObject([{ attempts: pauses.length + 1 }]);
  });

  test('a failure is told by names, and the error says nothing to the table', async () => {
    await ask('of Google');
    await ask('of a program');
    await ask('of nobody');
    const { worker, jobs } = recorder(async ({ key, attempts }) => {
      if (attempts > 1) return;
      if (key === 'of Google') {
        throw new GoogleError('events.insert', {
          kind: 'transient',
          status: 403,
          reason: 'rateLimitExceeded',
        });
      }
      if (key === 'of nobody') throw 'alan@example.org';
      throw Object.assign(new TypeError('mail to alan@example.org'), {
        code: 'ECONNRESET',
        reason: 'alan@example.org said no',
      });
    });
    await worker.runDue();
    const rows = await stored();
    expect(rows.map((row) => row.last_error)).toEqual([
      'GoogleError rateLimitExceeded',
      'TypeError ECONNRESET',
      'not an Error',
    ]);
    expect(JSON.stringify(rows)).not.toContain('alan@');
    now += day;
    await worker.runDue();
    expect(
      jobs
        .slice(3)
        .map(({ lastError }) => lastError)
        .sort(),
    ).toEqual(rows.map((row) => row.last_error).sort());
  });

  test('a job that backs off lets the later ones of its lane pass', async () => {
    await ask('first', { lane: 'ada/primary' });
    await ask('second', { lane: 'ada/primary', dueAt: now + 1 });
    const { worker, keys } = recorder(async ({ key, attempts }) => {
      if (key === 'first' && attempts === 1) throw new Error('no');
    });
    now += 1;
    await worker.runDue();
    now += second;
    await worker.runDue();
    expect(keys()).toEqual(['first', 'second', 'first']);
  });

  test('a job whose handler names a time runs again then, and has not failed', async () => {
    await ask('a');
    const { worker, jobs } = recorder(async () => ({ retryAt: now + day }));
    await worker.runDue();
    now += day - 1;
    expect(await worker.runDue()).toBe(0);
    now += 1;
    expect(await worker.runDue()).toBe(1);
    expect(jobs[1]).toMatchObject({ attempts: 1, lastError: null });
  });

  test('a job whose process was killed runs again when its lease ends', async () => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: now + 1 });
    const go = gate();
    const late = recorder(() => go.passed);
    const outlived = late.worker.runDue();
    await vi.waitFor(() => expect(late.keys()).toEqual(['a']));
    now += workerPolicy.leaseMs - 1;
    const { worker, jobs } = recorder();
    expect(await worker.runDue()).toBe(0);
    now += 1;
    expect(await worker.runDue()).toBe(2);
    // In the order of the lane, though the lease ended after the second was due.
    expect(jobs).toMatchObject([{ key: 'a', attempts: 2, lastError: 'LeaseEnded' }, { key: 'b' }]);
    go.open();
    await outlived;
  });

  test('a job asked for while its run was killed runs for both wishes', async () => {
    await ask('a');
    const go = gate();
    const killed = recorder(() => go.passed);
    const outlived = killed.worker.runDue();
    await vi.waitFor(() => expect(killed.keys()).toEqual(['a']));
    await ask('a', { dueAt: now + day });
    now += workerPolicy.leaseMs;
    const { worker, keys } = recorder();
    expect(await worker.runDue()).toBe(1);
    now = start + day - 1;
    expect(await worker.runDue()).toBe(0);
    now += 1;
    expect(await worker.runDue()).toBe(1);
    expect(keys()).toEqual(['a', 'a']);
    go.open();
    await outlived;
    expect(await stored()).toEqual([]);
  });

  test('a job settled while its run was killed does not run again', async () => {
    await ask('a');
    const go = gate();
    const killed = recorder(() => go.passed);
    const outlived = killed.worker.runDue();
    await vi.waitFor(() => expect(killed.keys()).toEqual(['a']));
    await settled('a');
    now += workerPolicy.leaseMs;
    const { worker, keys } = recorder();
    await worker.runDue();
    expect(keys()).toEqual([]);
    expect(await stored()).toEqual([]);
    go.open();
    await outlived;
  });

  test('a run that outlives its lease does not complete the job', async () => {
    await ask('a');
    const go = [gate(), gate()];
    const runs = [
      recorder(() => go[0]?.passed as Promise<void>),
      recorder(async () => {
        await go[1]?.passed;
        throw new Error('no');
      }),
    ];
    const ends = [runs[0]?.worker.runDue()];
    await vi.waitFor(() => expect(runs[0]?.keys()).toEqual(['a']));
    now += workerPolicy.leaseMs;
    ends.push(runs[1]?.worker.runDue());
    await vi.waitFor(() => expect(runs[1]?.keys()).toEqual(['a']));
    go[0]?.open();
    await ends[0];
    expect(await stored()).toMatchObject([{ key: 'a', attempts: 2 }]);
    expect(log.join()).toContain('job outlived its lease');
    go[1]?.open();
    await ends[1];
    expect(await stored()).toMatchObject([{ key: 'a', last_error: 'Error', lease_owner: null }]);
  });

  test('a run knows how long it may take, and is told when that is over', async () => {
    await ask('a');
    const left: number[] = [];
    const mail: JobHandler = async (_, run) => {
      left.push(run.leftMs());
      now += 10;
      left.push(run.leftMs());
      await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
      throw run.signal.reason;
    };
    await workerOf({ mail }, { policy: { runMs: 50 } }).runDue();
    expect(left).toEqual([50, 40]);
    expect(await stored()).toMatchObject([{ attempts: 1, last_error: 'AbortError' }]);
  });

  test('started, it runs what it is woken for, and what others asked for', async () => {
    const { worker, keys } = recorder();
    worker.start();
    await ask('woken for');
    worker.wake();
    await vi.waitFor(() => expect(keys()).toEqual(['woken for']), { timeout: 500 });
    await ask('asked for by others');
    await vi.waitFor(() => expect(keys()).toContain('asked for by others'), {
      timeout: 5 * second,
    });
    await ask('due soon', { dueAt: now + 20 });
    worker.wake();
    now += 20;
    await vi.waitFor(() => expect(keys()).toContain('due soon'), { timeout: 500 });
    for (let i = 0; i < 50; i++) {
      await ask(`quick ${i}`);
      worker.wake();
      if (i % 3 === 0) await turn();
    }
    await vi.waitFor(() => expect(keys()).toHaveLength(53), { timeout: 5 * second });
    await worker.close();
    await ask('after the end');
    worker.wake();
    worker.start();
    expect(await worker.runDue()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  test('closed, it waits for the runs under way', async () => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: now + 1 });
    const go = gate();
    const { worker, keys } = recorder(() => go.passed);
    worker.start();
    await vi.waitFor(() => expect(keys()).toEqual(['a']));
    now += 1;
    const closed = worker.close();
    go.open();
    await closed;
    expect(keys()).toEqual(['a']);
    expect(await stored()).toMatchObject([{ key: 'b', attempts: 0, lease_owner: null }]);
  });

  test('closed, it gives back what takes too long, to be run at once', async () => {
    await ask('a', { lane: 'ada/primary' });
    const obey: JobHandler = async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    };
    const worker = workerOf({ mail: obey }, { policy: { closeMs: 1 } });
    worker.start();
    await vi.waitFor(async () => expect((await worker.counts())[0]?.running).toBe(1));
    await worker.close();
    const { worker: next, jobs } = recorder();
    await next.runDue();
    expect(jobs).toMatchObject([{ key: 'a', attempts: 1, lastError: null }]);
  });

  test('counts by kind and state', async () => {
    await ask('due', { dueAt: now - 5 });
    await ask('due, too', { dueAt: now - 9 });
    await ask('later', { dueAt: now + day });
    await ask('fails', { kind: 'pull' });
    await ask('runs', { kind: 'sweep' });
    const go = gate();
    const pull = async () => {
      throw new Error('no');
    };
    const worker = workerOf({ pull, sweep: () => go.passed });
    const none = { due: 0, running: 0, backingOff: 0, oldestDueAt: null };
    const done = worker.runDue();
    await vi.waitFor(async () =>
      expect(await worker.counts()).toEqual([
        { ...none, kind: 'mail', due: 2, oldestDueAt: now - 9 },
        { ...none, kind: 'pull', backingOff: 1 },
        { ...none, kind: 'sweep', running: 1 },
      ]),
    );
    go.open();
    await done;
  });
});
