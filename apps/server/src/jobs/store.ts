import { type ExpressionBuilder, type Insertable, type Selectable, sql } from 'kysely';
import {
  type Database,
  type JobsTable,
  type Schema,
  type Transaction,
  writeCompiled,
} from '../db/index.ts';

/**
 * A job waits (`lease_owner` is null) or runs. To take it clears `due_at`; what is in there when
 * the run ends was asked for meanwhile.
 */
export type JobRow = Selectable<JobsTable>;

/** A job that is to be looked at: it is due, or its lease ends. */
export interface NextJob {
  readonly kind: string;
  readonly key: string;
  readonly lane: string | null;
  /** When, in epoch milliseconds. */
  readonly at: number;
}

/** The right to run a job, until it runs out. */
export interface JobLease {
  readonly kind: string;
  readonly key: string;
  /** Random, so that nobody ends a run but who began it. */
  readonly owner: string;
}

/** When a job is to be looked at; the index `jobs_next` is over this expression. */
const nextAt = sql<number>`coalesce(lease_until, due_at)`;

/**
 * The kind, as no index has it: for a condition on the column itself, SQLite would read and sort all
 * jobs of that kind by their primary key, instead of the few first ones in their order.
 */
const anyKind = sql<string>`kind || ''`;

const noLease = { lease_owner: null, lease_until: null, leased_lane: null };

/** Inserts a job; one that is there is due at the earlier time, and starts over. */
export async function upsertJob(
  tx: Transaction,
  row: Omit<
    Insertable<JobsTable>,
    'attempts' | 'last_error' | 'settled' | 'lease_owner' | 'lease_until' | 'leased_lane'
  >,
): Promise<void> {
  const compile = () =>
    tx
      .insertInto('jobs')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['kind', 'key']).doUpdateSet((eb) => ({
          lane: eb.ref('excluded.lane'),
          client_id: eb.ref('excluded.client_id'),
          // A time that is null is not earlier: the comparison is null, too.
          due_at: sql`case when jobs.due_at < excluded.due_at then jobs.due_at else excluded.due_at end`,
          payload: eb.ref('excluded.payload'),
          attempts: sql.lit(0),
          last_error: sql`null`,
          settled: sql.lit(0),
        })),
      )
      .compile();
  await writeCompiled(tx, `upsert jobs ${Object.keys(row)}`, compile, Object.values(row));
}

/** Deletes a job that waits; false when it runs, or is not there. */
export async function deleteUnlessRunning(
  tx: Transaction,
  kind: string,
  key: string,
): Promise<boolean> {
  const compile = () =>
    tx
      .deleteFrom('jobs')
      .where('kind', '=', kind)
      .where('key', '=', key)
      .where('lease_owner', 'is', null)
      .compile();
  return (await writeCompiled(tx, 'delete waiting job', compile, [kind, key])) > 0;
}

/** Marks a job that runs, so that it goes when its run ends, whatever the run ends with. */
export async function settleRunning(tx: Transaction, kind: string, key: string): Promise<void> {
  // Unconditional, so that the row cannot be taken or given back before the delete looks at it.
  await tx
    .updateTable('jobs')
    .set({ settled: 1, due_at: null })
    .where('kind', '=', kind)
    .where('key', '=', key)
    .execute();
  await deleteUnlessRunning(tx, kind, key);
}

/** Has the waiting jobs of a bot run at `at`, if they would run later. */
export async function hastenJobs(
  tx: Transaction,
  kind: string,
  botId: string,
  at: number,
): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({ due_at: at })
    .where('kind', '=', kind)
    .where('client_id', '=', botId)
    .where('due_at', '>', at)
    .execute();
}

/** What is to be looked at first, due or not, but for jobs whose lane is busy. */
export async function findNextJobs(
  reader: Database['read'],
  kinds: readonly string[],
  limit: number,
): Promise<NextJob[]> {
  return reader
    .selectFrom('jobs')
    .select(['kind', 'key', 'lane', nextAt.as('at')])
    .where(anyKind, 'in', kinds)
    .where((eb) =>
      eb.or([
        eb('lease_owner', 'is not', null),
        eb.not(
          eb.exists(
            eb
              .selectFrom('jobs as running')
              .select('running.kind')
              .whereRef('running.leased_lane', '=', 'jobs.lane')
              .where('running.lease_owner', 'is not', null),
          ),
        ),
      ]),
    )
    .orderBy(nextAt)
    .orderBy('position')
    .limit(limit)
    .execute();
}

/**
 * Takes those of the jobs that are still due and that nobody is taking just now.
 *
 * @param until when the lease runs out, in epoch milliseconds
 * @throws a unique violation when another process took a job of one of their lanes meanwhile
 */
export async function takeJobs(
  tx: Transaction,
  dialect: Database['dialect'],
  jobs: readonly NextJob[],
  lease: { readonly owner: string; readonly now: number; readonly until: number },
): Promise<JobRow[]> {
  return tx
    .updateTable('jobs')
    .set((eb) => ({
      lease_owner: lease.owner,
      lease_until: lease.until,
      leased_lane: eb.ref('lane'),
      due_at: sql`case when due_at > ${lease.now} then due_at end`,
      attempts: eb('attempts', '+', 1),
      last_error: sql`case when lease_owner is null then last_error else 'LeaseEnded' end`,
    }))
    .where((eb) =>
      eb(
        eb.refTuple('kind', 'key'),
        'in',
        eb
          .selectFrom('jobs')
          .select(['kind', 'key'])
          .where((of) =>
            of(
              of.refTuple('kind', 'key'),
              'in',
              jobs.map(({ kind, key }) => of.tuple(kind, key)),
            ),
          )
          .where(nextAt, '<=', lease.now)
          // SQLite has one writer, and no such clause.
          .$if(dialect === 'postgres', (rows) => rows.forUpdate().skipLocked())
          .$asTuple('kind', 'key'),
      ),
    )
    .returningAll()
    .execute();
}

/** Holds for the job of a lease, as long as that is the one in force. */
function inForce({ kind, key, owner }: JobLease) {
  return (eb: ExpressionBuilder<Schema, 'jobs'>) => eb.and({ kind, key, lease_owner: owner });
}

/** Ends a run that did its work; false when its lease is no longer in force. */
export async function finishJob(tx: Transaction, lease: JobLease): Promise<boolean> {
  const done = await tx
    .deleteFrom('jobs')
    .where(inForce(lease))
    .where('due_at', 'is', null)
    .executeTakeFirst();
  if (done.numDeletedRows > 0n) return true;
  // It was asked for again meanwhile.
  const released = await tx
    .updateTable('jobs')
    .set(noLease)
    .where(inForce(lease))
    .executeTakeFirst();
  return released.numUpdatedRows > 0n;
}

/**
 * Ends a run whose job is to run again, unless its work was settled meanwhile.
 *
 * @returns false when its lease is no longer in force
 */
export async function postponeJob(
  tx: Transaction,
  lease: JobLease,
  again: {
    /** When; earlier if it was asked for meanwhile. */
    readonly dueAt: number;
    /** Not stored if it was asked for meanwhile: those start over. */
    readonly attempts: number;
    readonly lastError: string | null;
  },
): Promise<boolean> {
  const postponed = await tx
    .updateTable('jobs')
    .set({
      ...noLease,
      due_at: sql`case when due_at < ${again.dueAt} then due_at else ${again.dueAt} end`,
      attempts: sql`case when due_at is null then ${again.attempts} else attempts end`,
      last_error: sql`case when due_at is null then ${again.lastError} end`,
    })
    .where(inForce(lease))
    .where('settled', '=', 0)
    .executeTakeFirst();
  if (postponed.numUpdatedRows > 0n) return true;
  const settled = await tx.deleteFrom('jobs').where(inForce(lease)).executeTakeFirst();
  return settled.numDeletedRows > 0n;
}

/** How much there is to do of one kind. */
export interface JobCounts {
  readonly kind: string;
  /** Due and not taken yet. */
  readonly due: number;
  readonly running: number;
  /** Wait after a run that failed. */
  readonly backingOff: number;
  /** Since when the one that waits longest is due, in epoch milliseconds; null: none is. */
  readonly oldestDueAt: number | null;
}

/** Counts by kind, without touching the many that wait for their time. */
export async function countJobs(reader: Database['read'], now: number): Promise<JobCounts[]> {
  const count = sql<number>`count(*)`.as('count');
  const kind = anyKind.as('kind');
  const jobs = reader.selectFrom('jobs').groupBy(anyKind);
  const [due, running, backingOff] = await Promise.all([
    jobs
      .select([kind, count, sql<number>`min(${nextAt})`.as('oldest')])
      .where(nextAt, '<=', now)
      .execute(),
    jobs
      .select([kind, count])
      .where('lease_owner', 'is not', null)
      .where('lease_until', '>', now)
      .execute(),
    jobs
      .select([kind, count])
      .where('attempts', '>', 0)
      .where('lease_owner', 'is', null)
      .where('due_at', '>', now)
      .execute(),
  ]);
  const of = (rows: readonly { kind: string; count: number }[], name: string) =>
    rows.find((row) => row.kind === name)?.count ?? 0;
  const names = new Set([...due, ...running, ...backingOff].map((row) => row.kind));
  return [...names].sort().map((name) => ({
    kind: name,
    due: of(due, name),
    running: of(running, name),
    backingOff: of(backingOff, name),
    oldestDueAt: due.find((row) => row.kind === name)?.oldest ?? null,
  }));
}
