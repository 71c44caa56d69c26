import type { Database } from '../db/index.ts';
import { enqueue, type JobHandler } from '../jobs/jobs.ts';
import type { Polling } from '../sync/polling.ts';
import { sweepAllHolds } from './claim-store.ts';
import { sweepIdempotencyKeys } from './store.ts';

const sweepJob = 'appointments.sweep';
const pollJob = 'calendars.poll';
/** There is one of each, whichever process runs it. */
const onlyKey = 'all';

const sweepEveryMs = 60 * 60_000;
const pollEveryMs = 30_000;
/** Calendars polled in one run; a run that finds more is followed by another at once. */
const pollAtOnce = 100;
/** Nobody repeats a request after this long. */
const keyLifeMs = 7 * 86_400_000;

interface HousekeepingParts {
  readonly database: Database;
  readonly polling: Polling;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** Makes sure that the jobs which come again and again are there. */
export async function startHousekeeping({ database, now }: HousekeepingParts): Promise<void> {
  const dueAt = now();
  await database.transaction(async (tx) => {
    for (const kind of [sweepJob, pollJob]) {
      await enqueue(tx, { kind, key: onlyKey, lane: null, botId: null, dueAt });
    }
  });
}

/** The jobs that come again and again, whichever process runs them. */
export function housekeepingHandlers(
  parts: HousekeepingParts,
): Readonly<Record<string, JobHandler>> {
  const { database, polling, now } = parts;
  return {
    /** Takes away holds that ended where nobody has booked since, and old idempotency keys. */
    async [sweepJob]() {
      const at = now();
      await database.transaction(async (tx) => {
        await sweepAllHolds(tx, at);
        await sweepIdempotencyKeys(tx, at - keyLifeMs);
      });
      return { retryAt: at + sweepEveryMs };
    },
    /** Looks at calendars that nobody asked about for a while, so that owners' edits are noticed. */
    async [pollJob]() {
      const polled = await polling.pollDue(pollAtOnce);
      return { retryAt: polled < pollAtOnce ? now() + pollEveryMs : now() };
    },
  };
}
