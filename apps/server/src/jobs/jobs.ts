import type { Transaction } from '../db/index.ts';
import { deleteUnlessRunning, hastenJobs, settleRunning, upsertJob } from './store.ts';

/** A piece of durable work that is asked for. */
export interface NewJob {
  /** What is to be done; a {@link JobHandler} is registered for it. */
  readonly kind: string;
  /** Which piece of work: there is one job of a kind with this key at a time. */
  readonly key: string;
  /** Jobs of one lane (a calendar) run one at a time; null: beside all others. */
  readonly lane: string | null;
  readonly botId: string | null;
  /** When it is to run, in epoch milliseconds. */
  readonly dueAt: number;
  /** Ids that the handler needs beside the key; no secrets, no customer data. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** A job as its handler gets it. */
export interface Job extends Omit<Required<NewJob>, 'dueAt'> {
  /** Runs begun since it was last asked for, this one included. */
  readonly attempts: number;
  /** What the run before ended with; null: there was none, or it did not fail. */
  readonly lastError: string | null;
}

/** What a handler knows of its run. */
interface JobRun {
  /** How long the run may still take, in milliseconds; calls to others end within it. */
  readonly leftMs: () => number;
  /** Aborted when that time is over, or the server stops. */
  readonly signal: AbortSignal;
}

/**
 * Does the work of one kind. It may run twice for the same job (a process is killed after the work
 * and before that is recorded), and after a later job of its lane (that one was not backing off), so
 * it looks at what is stored now, not at what was meant then.
 *
 * When it returns, the job is done; also when the handler has decided that the work has finally
 * failed. With `retryAt`, an instant, it is not done and runs again then. When it throws, it runs
 * again after a back-off, not before the error's `retryAfterMs`, if it has one.
 */
export type JobHandler = (
  job: Job,
  run: JobRun,
) => Promise<void> | Promise<{ readonly retryAt: number } | undefined>;

/** Has the jobs of a kind that a bot waits for run at `at`, if they would run later. */
export async function hasten(
  tx: Transaction,
  kind: string,
  botId: string,
  at: number,
): Promise<void> {
  await hastenJobs(tx, kind, botId, at);
}

let lastPosition = 0;

/** Grows with each call: 10 bits count within a millisecond. Below 2^53 until the year 2248. */
function nextPosition(): number {
  lastPosition = Math.max(Date.now() * 1_024, lastPosition + 1);
  return lastPosition;
}

/**
 * Asks for work, if and only if the transaction is committed.
 *
 * When the same job waits already, it is due at the earlier of both times, with the new lane and
 * payload, and its attempts start over. When it is running just now, it runs once more after that.
 */
export async function enqueue(tx: Transaction, job: NewJob): Promise<void> {
  await upsertJob(tx, {
    kind: job.kind,
    key: job.key,
    lane: job.lane,
    client_id: job.botId,
    due_at: job.dueAt,
    position: nextPosition(),
    payload: JSON.stringify(job.payload ?? {}),
  });
}

/**
 * Says that the work of a job was done by other means: it does not run again, if and only if the
 * transaction is committed. A run that is under way goes on, and keeps its lane to its end.
 */
export async function settle(tx: Transaction, kind: string, key: string): Promise<void> {
  if (!(await deleteUnlessRunning(tx, kind, key))) await settleRunning(tx, kind, key);
}
