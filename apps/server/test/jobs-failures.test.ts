import { expect, test } from 'vitest';
import { GoogleError } from '../src/google/index.ts';
import type { JobHandler } from '../src/jobs/jobs.ts';
import { workerPolicy } from '../src/jobs/worker.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { day, gate, second, startOfQueue, testQueue } from './support/test-queue.ts';

describeOnEachDatabase('the queue', (dialect) => {
  const queue = testQueue(dialect);
  const { ask, recorder, settled, stored, workerOf } = queue;

  test('a job that backs off runs at once when it is asked for again, and starts over', async () => {
    await ask('a');
    const { worker, jobs } = recorder(async () => {
      throw new Error('no');
    });
    await worker.runDue();
    queue.now += second;
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
      runs.push(queue.now);
      throw error;
    };
    const policy = { firstPauseMs: second, maxPauseMs: 60 * second };
    const worker = workerOf({ mail }, { policy, random: () => chance });
    await worker.runDue();
    for (const pause of pauses) {
      queue.now += pause * second - 1;
      expect(await worker.runDue()).toBe(0);
      queue.now += 1;
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
    queue.now += day;
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
    await ask('second', { lane: 'ada/primary', dueAt: queue.now + 1 });
    const { worker, keys } = recorder(async ({ key, attempts }) => {
      if (key === 'first' && attempts === 1) throw new Error('no');
    });
    queue.now += 1;
    await worker.runDue();
    queue.now += second;
    await worker.runDue();
    expect(keys()).toEqual(['first', 'second', 'first']);
  });

  test('a job whose handler names a time runs again then, and has not failed', async () => {
    await ask('a');
    const { worker, jobs } = recorder(async () => ({ retryAt: queue.now + day }));
    await worker.runDue();
    queue.now += day - 1;
    expect(await worker.runDue()).toBe(0);
    queue.now += 1;
    expect(await worker.runDue()).toBe(1);
    expect(jobs[1]).toMatchObject({ attempts: 1, lastError: null });
  });

  test('a job whose process was killed runs again when its lease ends', async () => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: queue.now + 1 });
    const go = gate();
    const late = recorder(() => go.passed);
    const outlived = late.worker.runDue();
    await expect.poll(() => late.keys()).toEqual(['a']);
    queue.now += workerPolicy.leaseMs - 1;
    const { worker, jobs } = recorder();
    expect(await worker.runDue()).toBe(0);
    queue.now += 1;
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
    await expect.poll(() => killed.keys()).toEqual(['a']);
    await ask('a', { dueAt: queue.now + day });
    queue.now += workerPolicy.leaseMs;
    const { worker, keys } = recorder();
    expect(await worker.runDue()).toBe(1);
    queue.now = startOfQueue + day - 1;
    expect(await worker.runDue()).toBe(0);
    queue.now += 1;
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
    await expect.poll(() => killed.keys()).toEqual(['a']);
    await settled('a');
    queue.now += workerPolicy.leaseMs;
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
    await expect.poll(() => runs[0]?.keys()).toEqual(['a']);
    queue.now += workerPolicy.leaseMs;
    ends.push(runs[1]?.worker.runDue());
    await expect.poll(() => runs[1]?.keys()).toEqual(['a']);
    go[0]?.open();
    await ends[0];
    expect(await stored()).toMatchObject([{ key: 'a', attempts: 2 }]);
    expect(queue.log.join()).toContain('job outlived its lease');
    go[1]?.open();
    await ends[1];
    expect(await stored()).toMatchObject([{ key: 'a', last_error: 'Error', lease_owner: null }]);
  });

  test('a run knows how long it may take, and is told when that is over', async () => {
    await ask('a');
    const left: number[] = [];
    const mail: JobHandler = async (_, run) => {
      left.push(run.leftMs());
      queue.now += 10;
      left.push(run.leftMs());
      await new Promise((resolve) => run.signal.addEventListener('abort', resolve));
      throw run.signal.reason;
    };
    await workerOf({ mail }, { policy: { runMs: 50 } }).runDue();
    expect(left).toEqual([50, 40]);
    expect(await stored()).toMatchObject([{ attempts: 1, last_error: 'AbortError' }]);
  });
});
