import type { CalendarsTable } from '../db/index.ts';
import type { BusySpan } from './listener.ts';
import { NotMirrored } from './window.ts';

/** All busy spans of a calendar, as they were at one version of it. */
export class BusyList {
  readonly row: CalendarsTable;
  /** By their start. */
  readonly #spans: readonly BusySpan[];
  /** The latest end among a span and all before it: tells where a search may begin. */
  readonly #latestEnds: Float64Array;

  /** @param spans by their start */
  constructor(row: CalendarsTable, spans: readonly BusySpan[]) {
    this.row = row;
    this.#spans = spans;
    this.#latestEnds = new Float64Array(spans.length);
    let latest = Number.NEGATIVE_INFINITY;
    for (const [at, { endsAt }] of spans.entries()) {
      latest = Math.max(latest, endsAt);
      this.#latestEnds[at] = latest;
    }
  }

  /**
   * The spans that overlap `[from, to)`, by their start.
   *
   * @throws {NotMirrored} when the mirror does not hold all of it
   */
  overlapping(from: number, to: number): BusySpan[] {
    const { calendar, window_start: start, window_end: end } = this.row;
    if (from < start || to > end) throw new NotMirrored(calendar, { startsAt: from, endsAt: to });
    const found: BusySpan[] = [];
    for (let at = this.#firstEndingAfter(from); at < this.#spans.length; at++) {
      const span = this.#spans[at] as BusySpan;
      if (span.startsAt >= to) break;
      if (span.endsAt > from) found.push(span);
    }
    return found;
  }

  #firstEndingAfter(instant: number): number {
    let low = 0;
    let high = this.#latestEnds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#latestEnds[middle] as number) <= instant) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
