import { type Finding, fault, type Verdict } from './finding.ts';

export interface Check {
  readonly name: string;
  /** Looks; anything that it throws becomes a fault. */
  look(): Promise<Verdict>;
}

/**
 * Runs all checks at the same time, to the end: one that throws or hangs is a fault of its own.
 *
 * @param timeoutMs longest wait for one check
 * @returns one finding per check, in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  timeoutMs: number,
): Promise<readonly Finding[]> {
  return Promise.all(
    checks.map(async ({ name, look }) => ({ check: name, ...(await within(timeoutMs, look)) })),
  );
}

async function within(timeoutMs: number, look: () => Promise<Verdict>): Promise<Verdict> {
  const late = fault(`no answer within ${timeoutMs / 1_000} s`, 'see why it hangs, and run again');
  try {
    return await orLate(timeoutMs, look(), late);
  } catch (error) {
    // By its name alone: messages of others may quote what is secret.
    const { name, code } = error as { name?: unknown; code?: unknown };
    return fault(`could not be looked at (${String(code ?? name)})`, 'report this to the project');
  }
}

/** What `work` gives, or `late` when it takes longer; it is not stopped then. */
export async function orLate<T>(timeoutMs: number, work: Promise<T>, late: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const lateness = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late), timeoutMs);
  });
  try {
    return await Promise.race([work, lateness]);
  } finally {
    clearTimeout(timer);
  }
}
