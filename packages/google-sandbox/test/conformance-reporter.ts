import type { Reporter, TestCase } from 'vitest/node';

/** How many checks facts/google.md §7 names. */
const CHECKS = 70;

/**
 * Prints one line per check and, last, how many of the 70 hold. A check is a set of tests whose
 * names begin with its number; it holds when there is at least one and all of them passed, so that
 * a missing or skipped one fails the run.
 */
export default class ConformanceReporter implements Reporter {
  readonly #tests = new Map<number, TestCase[]>();

  onTestCaseResult(test: TestCase): void {
    const number = Number(/^(\d\d) /.exec(test.name)?.[1]);
    if (!(number >= 1 && number <= CHECKS)) return;
    this.#tests.set(number, [...(this.#tests.get(number) ?? []), test]);
  }

  onTestRunEnd(): void {
    let holding = 0;
    for (let number = 1; number <= CHECKS; number += 1) {
      const tests = this.#tests.get(number) ?? [];
      const states = tests.map((test) => test.result().state);
      const holds = states.length > 0 && states.every((state) => state === 'passed');
      if (holds) holding += 1;
      const verdict = holds ? 'ok' : states.length === 0 ? 'MISSING' : 'FAILED';
      const name = tests[0]?.name.slice(3) ?? '';
      process.stdout.write(`${String(number).padStart(2, '0')} ${verdict.padEnd(7)} ${name}\n`);
      for (const test of tests) {
        for (const error of test.result().errors ?? []) {
          process.stdout.write(`           ${error.message.split('\n')[0]}\n`);
        }
      }
    }
    if (holding < CHECKS) process.exitCode = 1;
    process.stdout.write(`${holding} of ${CHECKS}\n`);
  }
}
