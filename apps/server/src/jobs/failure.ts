/** How long to wait before a job that failed runs again. */
export interface BackOff {
  /** Ceiling after the first failure, in milliseconds; doubles with each further one. */
  readonly firstPauseMs: number;
  /** Highest ceiling, in milliseconds. */
  readonly maxPauseMs: number;
}

/** A word of a program: no sentence, no address, too short for a token. */
const word = /^[A-Za-z][\w.-]{0,39}$/;

/** Names an error by its class and what code or reason it carries; never by what it says. */
export function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'not an Error';
  const { name, code, reason } = error as { name: string; code?: unknown; reason?: unknown };
  return [name, code, reason]
    .filter((part) => typeof part === 'string' && word.test(part))
    .join(' ');
}

/**
 * Exponential back-off with full jitter, but not before the error's `retryAfterMs`.
 *
 * @param attempts runs begun, at least 1
 * @param chance between 0 and 1
 * @returns a pause in milliseconds
 */
export function pauseAfter(
  error: unknown,
  attempts: number,
  { firstPauseMs, maxPauseMs }: BackOff,
  chance: number,
): number {
  const { retryAfterMs } = (error ?? {}) as { retryAfterMs?: unknown };
  const ceiling = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(attempts - 1, 30));
  const asked = typeof retryAfterMs === 'number' ? retryAfterMs : 0;
  return Math.ceil(Math.max(chance * ceiling, asked, 1));
}
