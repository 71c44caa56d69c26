import { dayMs } from './local-days.ts';

/** A part of a zone's time line in which its clocks differ from UTC by one offset. */
export interface OffsetSegment {
  /** Epoch milliseconds. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly until: number;
  /** What is added to epoch milliseconds to get what the clock on the wall shows. */
  readonly offsetMs: number;
}

interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly segments: readonly OffsetSegment[];
}

/** Read with every stretch, so that the windows that follow find theirs. */
const leadMs = 400 * dayMs;
const trailMs = 800 * dayMs;
/** No segment of an answer is cut off within this distance of what was asked for. */
const marginMs = 3 * dayMs;
const latestInstant = 8.64e15;

/** The stretch asked for last of each zone: a handful of segments, so all zones fit in memory. */
const stretches = new Map<string, Stretch>();

function readStretch(timeZone: string, from: number, until: number): Stretch {
  const segments: OffsetSegment[] = [];
  let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone);
  for (let begin = from; begin < until; ) {
    const next = at.getTimeZoneTransition('next');
    const end = Math.min(next?.epochMilliseconds ?? until, until);
    segments.push({ from: begin, until: end, offsetMs: at.offsetNanoseconds / 1e6 });
    if (next) at = next;
    begin = end;
  }
  return { from, until, segments };
}

/**
 * The offsets of a zone over a span of time, ascending and without holes; they begin at least three
 * days before `from` and end at least three days after `until`.
 *
 * The rest of the engine computes with them in integers: Temporal is asked once per transition.
 */
export function offsetSegments(
  timeZone: string,
  from: number,
  until: number,
): readonly OffsetSegment[] {
  let stretch = stretches.get(timeZone);
  if (!stretch || from - marginMs < stretch.from || until + marginMs > stretch.until) {
    stretch = readStretch(
      timeZone,
      Math.max(from - leadMs, -latestInstant),
      Math.min(until + trailMs, latestInstant),
    );
    stretches.set(timeZone, stretch);
  }
  return stretch.segments;
}

/** What the clock on the wall shows at an instant, as the milliseconds that UTC would have then. */
export function wallClockAt(timeZone: string, epochMs: number): number {
  for (const segment of offsetSegments(timeZone, epochMs, epochMs)) {
    if (epochMs < segment.until) return epochMs + segment.offsetMs;
  }
  throw new RangeError(`${epochMs} is no instant`);
}

/**
 * The instants at which the clock on the wall shows this, ascending: none where it is turned forward
 * over it, two where it is turned back over it.
 */
export function instantsAt(timeZone: string, wallMs: number): number[] {
  const around = offsetSegments(timeZone, wallMs - marginMs, wallMs + marginMs);
  return around.flatMap(({ from, until, offsetMs }) => {
    const at = wallMs - offsetMs;
    return at >= from && at < until ? [at] : [];
  });
}

/** The first instant of a local day; of a day that the zone skips, that of the next. */
export function startOfDay(timeZone: string, day: number): number {
  const wallMs = day * dayMs;
  for (const segment of offsetSegments(timeZone, wallMs - marginMs, wallMs + marginMs)) {
    const at = Math.max(segment.from, wallMs - segment.offsetMs);
    if (at < segment.until) return at;
  }
  throw new RangeError(`day ${day} does not begin`);
}
