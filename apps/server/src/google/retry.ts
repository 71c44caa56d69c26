import { setTimeout as delay } from 'node:timers/promises';
import { GoogleError } from './failures.ts';

/** How a call is repeated while Google is in trouble. */
export interface RetryPolicy {
  /** All attempts and pauses together, in milliseconds. */
  readonly budgetMs: number;
  /** Pause before the first repeat, in milliseconds; doubles with each further one. */
  readonly firstPauseMs: number;
  /** Longest pause, in milliseconds. */
  readonly maxPauseMs: number;
}

/**
 * Repeats `attempt` on transient failures with exponential back-off and full jitter, as long as the
 * next attempt would still begin inside the budget. A longer `Retry-After` is honoured.
 *
 * @param attempt can ask at any time how many milliseconds are left of the budget
 * @throws the last failure
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  attempt: (leftMs: () => number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + policy.budgetMs;
  const leftMs = () => deadline - performance.now();
  for (let repeats = 0; ; repeats++) {
    try {
      return await attempt(leftMs);
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'transient') throw error;
      const ceiling = Math.min(policy.maxPauseMs, policy.firstPauseMs * 2 ** repeats);
      const pauseMs = Math.max(Math.random() * ceiling, error.retryAfterMs ?? 0);
      if (pauseMs >= leftMs()) throw error;
      await delay(pauseMs);
      // A timer may be late.
      if (leftMs() <= 0) throw error;
    }
  }
}
