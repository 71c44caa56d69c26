import type { GoogleError } from '../google/index.ts';
import type { Logger } from '../logger.ts';

/** The operator is told at most this often, in milliseconds, that Google rejects the installation. */
const everyMs = 10 * 60_000;

/** Tells the operator what no owner can mend: Google rejects this installation, for all its bots. */
export class OperatorAlarm {
  readonly #log: Logger;
  readonly #now: () => number;
  #raisedAt = Number.NEGATIVE_INFINITY;

  /** @param now clock in epoch milliseconds */
  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  raise(error: GoogleError): void {
    const now = this.#now();
    if (now - this.#raisedAt < everyMs) return;
    this.#raisedAt = now;
    this.#log.error(
      { err: error, reason: error.reason },
      'Google rejects this installation: check the OAuth client and its APIs (docs/google-cloud.md)',
    );
  }
}
