import { ApiError } from '../api-error.ts';
import type { CalendarsTable } from '../db/index.ts';
import { type FailureKind, GoogleError } from '../google/index.ts';

/** How often a calendar is polled that nobody asks about, in milliseconds. */
const pollEveryMs = 15 * 60_000;
/** Spread of it, so that calendars that were connected together are not polled together for ever. */
const spread = 0.25;
/** The row of a calendar on which nothing changes is written at most this often, in milliseconds. */
const noteEveryMs = 60_000;
/** Back-off of polling after a failure, in milliseconds; doubles with each further one. */
const firstBackOffMs = 60_000;
const maxBackOffMs = 6 * 3_600_000;

/** Failures that only the owner mends, by a consent: polling waits for the pull after it. */
const untilReconnected: ReadonlySet<FailureKind> = new Set(['reauth', 'scopes', 'unauthorized']);

/** When a calendar that was pulled at `checkedAt` is polled. */
export function nextPoll(checkedAt: number): number {
  return Math.round(checkedAt + pollEveryMs * (1 - spread + 2 * spread * Math.random()));
}

/**
 * Whether a pull without news is worth a write all the same: for other processes, the poll, and what
 * the row tells of failures that are over.
 */
export function isNoteworthy(row: CalendarsTable, checkedAt: number): boolean {
  return (
    row.failures > 0 ||
    checkedAt - row.checked_at >= noteEveryMs ||
    row.due_at === null ||
    row.due_at < checkedAt + pollEveryMs / 2
  );
}

/** When a calendar is polled after a failure; null: not before a pull succeeds. */
export function pollAfterFailure(error: unknown, failures: number, now: number): number | null {
  if (error instanceof ApiError) return null;
  if (error instanceof GoogleError && untilReconnected.has(error.kind)) return null;
  const backOff = Math.min(maxBackOffMs, firstBackOffMs * 2 ** Math.min(failures, 30));
  return Math.round(now + backOff * (1 - spread + 2 * spread * Math.random()));
}
