import type { Reporter, TestCase } from 'vitest/node';

/**
 * Prints, last, how many tests passed, failed and were skipped, on a line that programs can read.
 * A run that executed nothing, or skipped something, fails.
 */
export default class CountsReporter implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state !== 'pending') this.#counts[state] += 1;
  }

  onTestRunEnd(): void {
    const { passed, failed, skipped } = this.#counts;
    if (passed === 0 || skipped > 0) process.exitCode = 1;
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
