/**
 * A worker in a process of its own, on a database that others share. Each run of a job `effect`
 * leaves a row in the activity record; a job `hang` ends when the process reads a line.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import pino from 'pino';
import { openDatabase } from '../../src/db/index.ts';
import { newId } from '../../src/identifiers.ts';
import { type JobHandler, settle } from '../../src/jobs/jobs.ts';
import { Worker, workerPolicy } from '../../src/jobs/worker.ts';

const database = await openDatabase(String(process.argv[2]));
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Stores its effect and that the job is done in one transaction. */
const effect: JobHandler = async ({ kind, key }) => {
  await database.transaction(async (tx) => {
    const row = { id: newId(Date.now()), client_id: key, at: 0, kind, subject_id: null };
    await tx
      .insertInto('activity')
      .values({ ...row, detail: '{}' })
      .execute();
    await settle(tx, kind, key);
  });
  say(`effect ${key}`);
};

const told = once(createInterface({ input: process.stdin }), 'line');
const hang: JobHandler = async ({ key }) => {
  say(`hanging ${key}`);
  await told;
};

const worker = new Worker({
  database,
  handlers: { effect, hang },
  log: pino({ level: 'silent' }),
  now: Date.now,
  policy: { ...workerPolicy, pollMs: 20 },
});
worker.start();
say('started');
// The worker's own timers keep no process alive; a server's socket does.
setInterval(() => {}, 60_000);
