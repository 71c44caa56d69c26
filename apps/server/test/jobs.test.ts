import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { enqueue, type JobHandler } from '../src/jobs/jobs.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { day, gate, second, startOfQueue, testQueue } from './support/test-queue.ts';

describeOnEachDatabase('the queue', (dialect) => {
  const queue = testQueue(dialect);
  const { ask, recorder, settled, stored, workerOf } = queue;

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
    await ask('later', { dueAt: queue.now + second });
    const failed = queue.database.transaction(async (tx) => {
      await enqueue(tx, { kind: 'mail', key: 'undone', lane: null, botId: null, dueAt: queue.now });
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    const { worker, keys } = recorder();
    await worker.runDue();
    expect(keys()).toEqual([]);
    queue.now += second;
    await worker.runDue();
    expect(keys()).toEqual(['later']);
  });

  test('leaves jobs of kinds that it has no handler for', async () => {
    await ask('a', { kind: 'of a newer version' });
    expect(await recorder().worker.runDue()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  test('runs a lane in the order of due times, then of asking', async () => {
    await queue.database.transaction(async (tx) => {
      const of = { kind: 'mail', lane: 'ada/primary', botId: null };
      await enqueue(tx, { ...of, key: 'z asked first', dueAt: queue.now });
      await enqueue(tx, { ...of, key: 'a asked second', dueAt: queue.now });
      await enqueue(tx, { ...of, key: 'm due before', dueAt: queue.now - second });
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
    await ask('a', { dueAt: queue.now + day, payload: { version: 1 } });
    await ask('a', { dueAt: queue.now + day + difference, payload: { version: 2 } });
    queue.now += day + Math.min(0, difference) - 1;
    const { worker, jobs } = recorder();
    await worker.runDue();
    expect(jobs).toEqual([]);
    queue.now += 1;
    await worker.runDue();
    expect(jobs).toMatchObject([{ payload: { version: 2 } }]);
  });

  test.each([
    ['succeeds', async () => undefined, day],
    // What was wanted today is not done: its back-off is earlier than the new wish.
    ['fails', async () => Promise.reject(new Error('no')), second],
    ['wants to run again', async () => ({ retryAt: startOfQueue + 2 * second }), 2 * second],
    ['wants to run again later', async () => ({ retryAt: startOfQueue + 5 * day }), day],
  ])('asked for while a run is under way that %s, it runs once more', async (_, end, pause) => {
    await ask('a', { payload: { version: 1 } });
    const { worker, jobs } = recorder(async ({ payload }) => {
      if (payload.version !== 1) return;
      await ask('a', { dueAt: queue.now + 2 * day, payload: { version: 2 } });
      await ask('a', { dueAt: queue.now + day, payload: { version: 3 } });
      await ask('a', { dueAt: queue.now + 3 * day, payload: { version: 4 } });
      return end();
    });
    await worker.runDue();
    queue.now += pause - 1;
    expect(await worker.runDue()).toBe(0);
    queue.now += 1;
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
    ['wants to run again', async () => ({ retryAt: startOfQueue + second })],
  ])('settled while a run is under way that %s, it does not run again', async (_, end) => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: queue.now + 1 });
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
    queue.now += 1;
    await settled('a');
    // The run is not over, so its lane is busy.
    const other = recorder();
    expect(await other.worker.runDue()).toBe(0);
    go.open();
    await done;
    queue.now += day;
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

  test('started, it runs what others asked for', async () => {
    const { worker, keys } = recorder();
    worker.start();
    await ask('asked for by others');
    await expect.poll(keys).toEqual(['asked for by others']);
  });

  test('started, it runs at once what it is woken for', async () => {
    // Nothing that is seen here was found by looking for what others asked for.
    const { worker, keys } = recorder(undefined, { pollMs: day });
    worker.start();
    await ask('woken for');
    worker.wake();
    await expect.poll(keys).toEqual(['woken for']);
    await ask('due soon', { dueAt: queue.now + 20 });
    worker.wake();
    queue.now += 20;
    await expect.poll(keys).toContain('due soon');
    for (let i = 0; i < 50; i++) {
      await ask(`quick ${i}`);
      worker.wake();
      if (i % 3 === 0) await turn();
    }
    await expect.poll(keys).toHaveLength(52);
    await worker.close();
    await ask('after the end');
    worker.wake();
    worker.start();
    expect(await worker.runDue()).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  test('closed, it waits for the runs under way', async () => {
    await ask('a', { lane: 'ada/primary' });
    await ask('b', { lane: 'ada/primary', dueAt: queue.now + 1 });
    const go = gate();
    const { worker, keys } = recorder(() => go.passed);
    worker.start();
    await expect.poll(() => keys()).toEqual(['a']);
    queue.now += 1;
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
    await expect.poll(async () => (await worker.counts())[0]?.running).toBe(1);
    await worker.close();
    const { worker: next, jobs } = recorder();
    await next.runDue();
    expect(jobs).toMatchObject([{ key: 'a', attempts: 1, lastError: null }]);
  });

  test('counts by kind and state', async () => {
    await ask('due', { dueAt: queue.now - 5 });
    await ask('due, too', { dueAt: queue.now - 9 });
    await ask('later', { dueAt: queue.now + day });
    await ask('fails', { kind: 'pull' });
    await ask('runs', { kind: 'sweep' });
    const go = gate();
    const pull = async () => {
      throw new Error('no');
    };
    const worker = workerOf({ pull, sweep: () => go.passed });
    const none = { due: 0, running: 0, backingOff: 0, oldestDueAt: null };
    const done = worker.runDue();
    await expect
      .poll(() => worker.counts())
      .toEqual([
        { ...none, kind: 'mail', due: 2, oldestDueAt: queue.now - 9 },
        { ...none, kind: 'pull', backingOff: 1 },
        { ...none, kind: 'sweep', running: 1 },
      ]);
    go.open();
    await done;
  });
});
