import type { CalendarsTable } from '../db/index.ts';
import type { Span } from './busy-spans.ts';

const day = 24 * 3_600_000;
/** How far back the mirror reaches, so that a day that has begun is whole in every zone. */
const behindMs = 2 * day;
/** How far ahead it reaches at least; most bots are booked within it. */
const aheadMs = 120 * day;
/** Pulled beyond what was asked for, so that the same question tomorrow needs no wider window. */
const slackMs = 30 * day;
/** Nobody may ask for more: series without an end would be read for decades. */
const mostAheadMs = 3 * 366 * day;
/** How old a pull from the beginning may be: then the window moves on, and whatever was missed mends. */
const fullEveryMs = day;

/** A span was asked about that the mirror does not hold: it is not known to be free. */
export class NotMirrored extends Error {
  override readonly name = 'NotMirrored';

  constructor(calendar: string, span: Span) {
    const [from, to] = [span.startsAt, span.endsAt].map((ms) => new Date(ms).toISOString());
    super(`calendar ${calendar} is not mirrored from ${from} to ${to}`);
  }
}

/** Whether a window holds everything up to an instant. */
export function reaches(window: Pick<CalendarsTable, 'window_end'>, until: number): boolean {
  return until <= window.window_end;
}

/**
 * The window of a pull from the beginning.
 *
 * @param until what must be in it
 * @throws {RangeError} when that is further ahead than the mirror goes
 */
export function windowFor(now: number, until: number): Span {
  if (until > now + mostAheadMs) throw new RangeError('further ahead than the mirror goes');
  const wanted = Math.max(now + aheadMs, until);
  return { startsAt: wholeSecond(now - behindMs), endsAt: wholeSecond(wanted + slackMs) };
}

/** Whether what is stored cannot be gone on with, by age or by reach. */
export function needsFullPull(
  stored: Pick<CalendarsTable, 'window_end' | 'full_pulled_at'>,
  now: number,
  until: number,
): boolean {
  return now - stored.full_pulled_at >= fullEveryMs || !reaches(stored, until);
}

const wholeSecond = (ms: number) => ms - (ms % 1_000);
