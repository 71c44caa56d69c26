import { isoSeconds } from '../iso-text.ts';

/**
 * Offsets of IANA zones, fast enough to render every event of a list. `Temporal` knows the
 * transitions; the stretches between them are remembered here.
 */
type Stretch = { from: number; to: number; offsetMs: number };

const stretchesByZone = new Map<string, Stretch[]>();
const DAY_MS = 86_400_000;

/** Whether the name is an IANA zone in its usual spelling; offsets like `+01:00` are not zones. */
export function isZone(name: string): boolean {
  if (stretchesByZone.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    if (new Temporal.ZonedDateTime(0n, name).timeZoneId !== name) return false;
  } catch {
    return false;
  }
  stretchesByZone.set(name, []);
  return true;
}

/** The zone's offset from UTC in milliseconds at an instant (epoch ms). */
function offsetMsAt(zone: string, epochMs: number): number {
  if (zone === 'UTC') return 0;
  let stretches = stretchesByZone.get(zone);
  if (stretches === undefined) {
    stretches = [];
    stretchesByZone.set(zone, stretches);
  }
  for (const stretch of stretches) {
    if (epochMs >= stretch.from && epochMs < stretch.to) return stretch.offsetMs;
  }
  const stretch = stretchAround(zone, epochMs);
  stretches.unshift(stretch);
  return stretch.offsetMs;
}

function stretchAround(zone: string, epochMs: number): Stretch {
  const at = (ms: number) => new Temporal.ZonedDateTime(BigInt(ms) * 1_000_000n, zone);
  const here = at(epochMs);
  // One millisecond on, so that a transition at this very instant counts as the one behind us.
  const before = at(epochMs + 1).getTimeZoneTransition('previous');
  const after = here.getTimeZoneTransition('next');
  return {
    from: before === null ? Number.NEGATIVE_INFINITY : before.epochMilliseconds,
    to: after === null ? Number.POSITIVE_INFINITY : after.epochMilliseconds,
    offsetMs: here.offsetNanoseconds / 1_000_000,
  };
}

/**
 * The instant (epoch ms) of a wall-clock time. A time in a gap moves on by the gap's length, a time
 * that exists twice is the first (Temporal's 'compatible', RFC 5545 §3.3.5).
 * @param wallMs the wall clock read as if it were UTC, epoch ms
 */
export function instantOfWall(zone: string, wallMs: number): number {
  const before = offsetMsAt(zone, wallMs - DAY_MS);
  const after = offsetMsAt(zone, wallMs + DAY_MS);
  if (before === after && offsetMsAt(zone, wallMs - before) === before) return wallMs - before;
  // A transition is near: let Temporal decide.
  return Temporal.PlainDateTime.from(new Date(wallMs).toISOString().slice(0, -1)).toZonedDateTime(
    zone,
  ).epochMilliseconds;
}

/** The wall clock of a zone at an instant, read as if it were UTC (epoch ms). */
export function wallOfInstant(zone: string, epochMs: number): number {
  return epochMs + offsetMsAt(zone, epochMs);
}

const offsetTexts = new Map<number, string>();

/** `+01:00`. */
function offsetText(offsetMs: number): string {
  let text = offsetTexts.get(offsetMs);
  if (text === undefined) {
    const minutes = Math.round(Math.abs(offsetMs) / 60_000);
    const hh = String(Math.floor(minutes / 60)).padStart(2, '0');
    text = `${offsetMs < 0 ? '-' : '+'}${hh}:${String(minutes % 60).padStart(2, '0')}`;
    offsetTexts.set(offsetMs, text);
  }
  return text;
}

/** RFC 3339 with the zone's offset, seconds precision: `2026-01-01T10:00:00+01:00`, `…Z` in UTC. */
export function formatInstant(zone: string, epochMs: number): string {
  const offsetMs = offsetMsAt(zone, epochMs);
  const wall = isoSeconds(epochMs + offsetMs);
  if (zone === 'UTC') return `${wall}Z`;
  return wall + offsetText(offsetMs);
}
