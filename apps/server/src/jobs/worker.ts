import { randomUUID } from 'node:crypto';
import { type Database, isUniqueViolation } from '../db/index.ts';
import type { Logger } from '../logger.ts';
import { type BackOff, failureOf, pauseAfter } from './failure.ts';
import type { Job, JobHandler } from './jobs.ts';
import {
  countJobs,
  findNextJobs,
  finishJob,
  type JobCounts,
  type JobLease,
  type JobRow,
  type NextJob,
  postponeJob,
  takeJobs,
} from './store.ts';

export interface WorkerPolicy extends BackOff {
  /** Jobs that one process runs at once. */
  readonly concurrency: number;
  /** How long a job is kept from other processes, in milliseconds: what a killed one costs. */
  readonly leaseMs: number;
  /** How long a run may take, in milliseconds; enough below the lease for a handler to stop. */
  readonly runMs: number;
  /** How often a process looks for jobs that others asked for, in milliseconds. */
  readonly pollMs: number;
  /** How long runs may go on when the server stops, in milliseconds. */
  readonly closeMs: number;
}

export const workerPolicy: WorkerPolicy = {
  concurrency: 16,
  leaseMs: 60_000,
  runMs: 50_000,
  pollMs: 1_000,
  firstPauseMs: 1_000,
  maxPauseMs: 5 * 60_000,
  closeMs: 5_000,
};

/** How long runs get to obey when they are aborted at the stop of the server, in milliseconds. */
const obeyMs = 1_000;
/** Jobs looked at in one query: more than are taken, since some may share a lane. */
const lookAhead = 64;
/** How often in a row other processes may be faster before this one leaves it to the next poll. */
const maxLosses = 10;

export interface WorkerParts {
  readonly database: Database;
  /** By kind; jobs of other kinds are left to other processes. */
  readonly handlers: Readonly<Record<string, JobHandler>>;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
  readonly policy: WorkerPolicy;
  /** Between 0 and 1; default: Math.random. */
  readonly random?: () => number;
}

interface Run {
  readonly abort: AbortController;
  /** Resolves when the run is over and that is stored; never rejects. */
  readonly over: Promise<void>;
}

/**
 * Runs what is due, in any number of processes on one database.
 *
 * Who takes a job has it by a lease on its row, which ends by itself if the process is killed. Jobs
 * that are due run in the order of their due times, as many at once as the policy allows, but of
 * one lane only one, whichever process runs it. A job that backs off has a later due time: the
 * later ones of its lane overtake it.
 */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #kinds: readonly string[];
  readonly #runs = new Set<Run>();
  /** Looks for jobs come one after another, so that no two fill the same places. */
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #state: 'idle' | 'started' | 'closed' = 'idle';
  #looking = false;
  #woken = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#kinds = Object.keys(parts.handlers);
  }

  /** Runs due jobs from now on. */
  start(): void {
    if (this.#state !== 'idle' || this.#kinds.length === 0) return;
    this.#state = 'started';
    this.wake();
  }

  /** Looks for due jobs now; to be called after the commit of one that is due at once. */
  wake(): void {
    if (this.#state !== 'started') return;
    this.#woken = true;
    if (!this.#looking) void this.#look();
  }

  /** Runs what is due until nothing is that this process can take. Returns how many runs it began. */
  async runDue(): Promise<number> {
    let runs = 0;
    for (;;) {
      const { begun } = await this.#fill();
      runs += begun;
      if (this.#runs.size === 0) return runs;
      await Promise.race([...this.#runs].map(({ over }) => over));
    }
  }

  /** How much there is to do in all processes, by kind. */
  counts(): Promise<JobCounts[]> {
    return countJobs(this.#parts.database.read, this.#parts.now());
  }

  /**
   * Takes no more jobs, and waits for those that run; what takes too long is aborted and, when it
   * obeys, given back to be run at once by another process. What does not obey keeps its lease.
   */
  async close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    await this.#turn;
    if (await this.#over(this.#parts.policy.closeMs)) return;
    for (const run of this.#runs) run.abort.abort();
    await this.#over(obeyMs);
  }

  /** Waits for the runs under way; false when they took longer than that, in milliseconds. */
  async #over(withinMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), withinMs);
    });
    const over = Promise.all([...this.#runs].map((run) => run.over)).then(() => true as const);
    const inTime = await Promise.race([over, timeout]);
    clearTimeout(timer);
    return inTime;
  }

  /** Looks for jobs until nothing woke it meanwhile, and sets the timer for the next time. */
  async #look(): Promise<void> {
    const { log, now, policy } = this.#parts;
    this.#looking = true;
    clearTimeout(this.#timer);
    let nextAt = Number.POSITIVE_INFINITY;
    while (this.#woken && this.#state === 'started') {
      this.#woken = false;
      try {
        ({ nextAt } = await this.#fill());
      } catch (error) {
        log.error({ err: error }, 'jobs could not be looked for; it is repeated');
      }
    }
    this.#looking = false;
    if (this.#state !== 'started') return;
    const waitMs = Math.min(policy.pollMs, Math.max(1, nextAt - now()));
    this.#timer = setTimeout(() => this.wake(), waitMs).unref();
  }

  /** Takes as many due jobs as there are places free, and begins to run them. */
  #fill(): Promise<{ begun: number; nextAt: number }> {
    const filled = this.#turn.then(() => this.#fillNow());
    this.#turn = filled.catch(() => {});
    return filled;
  }

  async #fillNow(): Promise<{ begun: number; nextAt: number }> {
    const { database, now, policy } = this.#parts;
    const never = Number.POSITIVE_INFINITY;
    let begun = 0;
    for (let losses = 0; losses < maxLosses; ) {
      const free = policy.concurrency - this.#runs.size;
      // At the end of each run it looks again.
      if (this.#state === 'closed' || free <= 0) return { begun, nextAt: never };
      const at = now();
      const next = await findNextJobs(database.read, this.#kinds, lookAhead);
      const due = firstOfEachLane(next.filter((job) => job.at <= at)).slice(0, free);
      if (due.length === 0) return { begun, nextAt: next[0]?.at ?? never };
      // Another process may be faster; then there are others to take, or none that are due.
      const taken = await this.#take(due, at);
      begun += taken.length;
      losses = taken.length === 0 ? losses + 1 : 0;
    }
    return { begun, nextAt: never };
  }

  /** Takes and begins to run those of the jobs that no other process took meanwhile. */
  async #take(due: readonly NextJob[], at: number): Promise<JobRow[]> {
    const { database, policy } = this.#parts;
    const owner = randomUUID();
    const lease = { owner, now: at, until: at + policy.leaseMs };
    try {
      const rows = await database.transaction((tx) => takeJobs(tx, database.dialect, due, lease));
      for (const row of rows) this.#begin(row, { kind: row.kind, key: row.key, owner }, at);
      return rows;
    } catch (error) {
      // A lane was taken by another process meanwhile, with another job.
      if (isUniqueViolation(error)) return [];
      throw error;
    }
  }

  #begin(row: JobRow, lease: JobLease, at: number): void {
    const abort = new AbortController();
    const over = this.#run(row, lease, at, abort)
      .catch((error) => {
        // The lease ends by itself, and the job runs again.
        this.#parts.log.error({ err: error, kind: row.kind, key: row.key }, 'run not recorded');
      })
      .finally(() => {
        this.#runs.delete(run);
        this.wake();
      });
    const run: Run = { abort, over };
    this.#runs.add(run);
  }

  /** Runs a job, and stores what came of it. */
  async #run(row: JobRow, lease: JobLease, at: number, abort: AbortController): Promise<void> {
    const { database, log, now, policy } = this.#parts;
    const timer = setTimeout(() => abort.abort(), policy.runMs).unref();
    const again = await this.#handle(row, at + policy.runMs, abort.signal);
    clearTimeout(timer);
    const recorded = await database.transaction((tx) =>
      again ? postponeJob(tx, lease, again) : finishJob(tx, lease),
    );
    if (!recorded) {
      const { kind, key } = row;
      log.warn({ kind, key, runMs: now() - at }, 'job outlived its lease and runs again');
    }
  }

  /** Calls the handler; tells when to run the job again, undefined: it is done. */
  async #handle(
    row: JobRow,
    until: number,
    signal: AbortSignal,
  ): Promise<Parameters<typeof postponeJob>[2] | undefined> {
    const { handlers, log, now, policy, random = Math.random } = this.#parts;
    const { kind, key, attempts } = row;
    // Settled while a run was under way that did not come to its end.
    if (row.settled) return undefined;
    try {
      const result = await handlers[kind]?.(toJob(row), { leftMs: () => until - now(), signal });
      if (!result) return undefined;
      return { dueAt: Math.max(result.retryAt, now() + 1), attempts: 0, lastError: null };
    } catch (error) {
      if (signal.aborted && this.#state === 'closed') {
        return { dueAt: now(), attempts: attempts - 1, lastError: row.last_error };
      }
      const pauseMs = pauseAfter(error, attempts, policy, random());
      log.warn({ err: error, kind, key, botId: row.client_id, attempts, pauseMs }, 'job failed');
      return { dueAt: now() + pauseMs, attempts, lastError: failureOf(error) };
    }
  }
}

function firstOfEachLane(jobs: readonly NextJob[]): NextJob[] {
  const lanes = new Set<string>();
  return jobs.filter(({ lane }) => {
    if (lane === null) return true;
    if (lanes.has(lane)) return false;
    lanes.add(lane);
    return true;
  });
}

function toJob(row: JobRow): Job {
  return {
    kind: row.kind,
    key: row.key,
    lane: row.lane,
    botId: row.client_id,
    payload: JSON.parse(row.payload),
    attempts: row.attempts,
    lastError: row.last_error,
  };
}
