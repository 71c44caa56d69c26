export type Mark = 'ok' | 'warning' | 'fault';

/** What one check found: a line of the report. */
export interface Finding {
  /** What was looked at, such as `redirect URI`. */
  readonly check: string;
  readonly mark: Mark;
  /** A sentence for the operator. Never a secret, nor a message of other software. */
  readonly message: string;
  /** What to do, where it is not ok. */
  readonly remedy?: string;
}

/** What a check tells; its name is known already. */
export type Verdict = Omit<Finding, 'check'>;

export const ok = (message: string): Verdict => ({ mark: 'ok', message });

export const warning = (message: string, remedy: string): Verdict => ({
  mark: 'warning',
  message,
  remedy,
});

export const fault = (message: string, remedy: string): Verdict => ({
  mark: 'fault',
  message,
  remedy,
});

/** A check whose question hangs on another one that failed. */
export const notTold = (why: string): Verdict =>
  warning(`cannot be told: ${why}`, 'mend that first, and run calhook doctor again');
