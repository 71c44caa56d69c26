import { dayOf, describeWallClock, firstDayOfWeek, isoWeekOf, minuteMs } from './local-days.ts';
import {
  type HoursRules,
  nextOnGrid,
  type OpenSpan,
  openSpans,
  skippedStarts,
  stepMsOf,
} from './open-hours.ts';
import { startOfDay, wallClockAt } from './zone-offsets.ts';

/** What a bot's owner allows. */
export interface SlotRules extends HoursRules {
  readonly bufferBeforeMinutes: number;
  readonly bufferAfterMinutes: number;
  /** An appointment starts no earlier than this after now. */
  readonly minimumNoticeMinutes: number;
  /** Local days: appointments start no later than on the day of now plus this many. */
  readonly horizonDays: number;
  /** Appointments that start on one local day. */
  readonly maxPerDay: number | null;
  /** Appointments that start in one local week, Monday to Sunday. */
  readonly maxPerWeek: number | null;
}

/** Half-open, in epoch milliseconds; one without length takes no time and blocks nothing. */
export interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What is known of a calendar. All times are epoch milliseconds, whole numbers. */
export interface Occupancy {
  readonly rules: SlotRules;
  readonly durationMinutes: number;
  readonly now: number;
  /** The owner's own events, without buffers; in any order, may overlap. */
  readonly busy: readonly Span[];
  /** Spans that are claimed, their own buffers inside. */
  readonly claims: readonly Span[];
  /** Starts of the bot's standing appointments and live holds: what the limits count. */
  readonly bookedStarts: readonly number[];
}

export interface SlotInput extends Occupancy {
  /** The first start that is asked about. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface FoundSlots {
  /** Ascending. */
  readonly slots: number[];
  /**
   * The first instant after `now` at which the same calendar may give other slots, null if there is
   * none: until then the answer holds.
   */
  readonly changesAt: number | null;
}

/** Why a start is not offered; of several reasons the first in this order. */
export type SlotRefusal =
  /** It is past, or sooner than the notice. */
  | 'notice'
  | 'horizon'
  /** The appointment does not lie within the hours. */
  | 'outside_hours'
  /** The day or the week is full. */
  | 'limit'
  /** The appointment meets an event of the owner. */
  | 'busy'
  /** The appointment or its buffers meet a claim. */
  | 'claim'
  /** A buffer of the appointment meets an event of the owner. */
  | 'buffer'
  /** All else is well, but it is not one of the starts that the rules name. */
  | 'off_grid';

export type UnofferedStart =
  | { readonly start: number; readonly reason: SlotRefusal }
  /** A start of the rules that the clocks skip on that day: `YYYY-MM-DDTHH:mm` in the owner's zone. */
  | { readonly localTime: string; readonly reason: 'dst' };

/** The rules and limits for one `now`, in milliseconds. */
interface Measures {
  readonly stepMs: number;
  readonly durationMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly earliest: number;
  readonly horizonEnd: number;
  readonly isFull: (day: number) => boolean;
}

/** Whole local weeks, so that limits are counted in full. */
function countedSpan(timeZone: string, from: number, to: number): Span {
  const weekOf = (epochMs: number) => isoWeekOf(dayOf(wallClockAt(timeZone, epochMs)));
  return {
    startsAt: startOfDay(timeZone, firstDayOfWeek(weekOf(from))),
    endsAt: startOfDay(timeZone, firstDayOfWeek(weekOf(Math.max(from, to - 1)) + 1)),
  };
}

/** The first instant at which nothing can be booked yet. */
export function horizonEndOf({ timeZone, horizonDays }: SlotRules, now: number): number {
  return startOfDay(timeZone, dayOf(wallClockAt(timeZone, now)) + horizonDays + 1);
}

/**
 * How far around `[from, to)` a calendar must be known for an answer about it: all spans that meet
 * `taken`, all appointments that start within `counted`. Of what is past, or beyond the horizon,
 * nothing need be known.
 */
export function reachOf(
  { rules, durationMinutes, now }: Pick<SlotInput, 'rules' | 'durationMinutes' | 'now'>,
  from: number,
  to: number,
): { readonly taken: Span; readonly counted: Span } {
  const { timeZone, bufferBeforeMinutes, bufferAfterMinutes } = rules;
  const first = Math.max(from, now);
  const end = Math.min(to, horizonEndOf(rules, now));
  const nothing = { startsAt: now, endsAt: now };
  if (first >= end) return { taken: nothing, counted: nothing };
  return {
    taken: {
      startsAt: first - bufferBeforeMinutes * minuteMs,
      endsAt: end + (durationMinutes + bufferAfterMinutes) * minuteMs,
    },
    counted: countedSpan(timeZone, first, end),
  };
}

/** Which local days, of those with a part in `[from, to)`, take no further appointment. */
function fullDays(known: Occupancy, from: number, to: number): (day: number) => boolean {
  const { timeZone, maxPerDay, maxPerWeek } = known.rules;
  if (maxPerDay === null && maxPerWeek === null) return () => false;
  const { startsAt, endsAt } = countedSpan(timeZone, from, to);
  const perDay = new Map<number, number>();
  const perWeek = new Map<number, number>();
  for (const start of known.bookedStarts) {
    if (start < startsAt || start >= endsAt) continue;
    const day = dayOf(wallClockAt(timeZone, start));
    const week = isoWeekOf(day);
    perDay.set(day, (perDay.get(day) ?? 0) + 1);
    perWeek.set(week, (perWeek.get(week) ?? 0) + 1);
  }
  return (day) =>
    (maxPerDay !== null && (perDay.get(day) ?? 0) >= maxPerDay) ||
    (maxPerWeek !== null && (perWeek.get(isoWeekOf(day)) ?? 0) >= maxPerWeek);
}

/** @throws {RangeError} when the step or the duration is not positive */
function measure(known: Occupancy, from: number, to: number, graceMs = 0): Measures {
  const { rules, now, durationMinutes } = known;
  const { minimumNoticeMinutes } = rules;
  if (!(durationMinutes > 0)) throw new RangeError(`a duration of ${durationMinutes} minutes`);
  return {
    stepMs: stepMsOf(rules),
    durationMs: durationMinutes * minuteMs,
    beforeMs: rules.bufferBeforeMinutes * minuteMs,
    afterMs: rules.bufferAfterMinutes * minuteMs,
    earliest: now + Math.max(0, minimumNoticeMinutes * minuteMs - graceMs),
    horizonEnd: horizonEndOf(rules, now),
    isFull: fullDays(known, from, to),
  };
}

/** The spans within which no appointment may start, ascending by where they begin. */
function blockedStarts(known: Occupancy, measures: Measures, from: number, to: number): Span[] {
  const { durationMs, beforeMs, afterMs } = measures;
  const blocked: Span[] = [];
  for (const spans of [known.busy, known.claims]) {
    for (const span of spans) {
      if (span.endsAt <= span.startsAt) continue;
      // Free are the starts with start + duration + after <= startsAt, or start - before >= endsAt.
      const startsAt = span.startsAt - durationMs - afterMs + 1;
      const endsAt = span.endsAt + beforeMs;
      if (startsAt < to && endsAt > from) blocked.push({ startsAt, endsAt });
    }
  }
  blocked.sort((a, b) => a.startsAt - b.startsAt);
  return blocked;
}

/**
 * The starts in `[from, to)` at which an appointment may be booked.
 *
 * An appointment lies within the hours as a whole, where ranges that touch count as one; with its
 * buffers it meets neither an event nor a claim, though it may touch them.
 */
export function findSlots(input: SlotInput): FoundSlots {
  const { rules } = input;
  const measures = measure(input, input.from, input.to);
  const { stepMs, durationMs, earliest, horizonEnd, isFull } = measures;
  const from = Math.max(input.from, earliest);
  const to = Math.min(input.to, horizonEnd);
  const slots: number[] = [];
  if (from < to) {
    const blocked = blockedStarts(input, measures, from, to);
    let next = 0;
    for (const span of openSpans(rules, from, to + durationMs)) {
      if (isFull(span.day)) continue;
      const end = Math.min(span.until, to, span.openUntil - durationMs + 1);
      let start = nextOnGrid(span, stepMs, Math.max(span.from, from));
      while (start < end) {
        const block = blocked[next];
        if (block === undefined || start < block.startsAt) {
          slots.push(start);
          start += stepMs;
        } else if (start < block.endsAt) {
          start = nextOnGrid(span, stepMs, block.endsAt);
        } else {
          next++;
        }
      }
    }
  }
  return { slots, changesAt: changeAfter(input, slots[0], horizonEnd) };
}

/** The notice takes the first slot away, or a new local day brings another day within the horizon. */
function changeAfter(
  input: SlotInput,
  firstSlot: number | undefined,
  horizonEnd: number,
): number | null {
  const { timeZone, minimumNoticeMinutes, horizonDays } = input.rules;
  const changes: number[] = [];
  if (firstSlot !== undefined) changes.push(firstSlot - minimumNoticeMinutes * minuteMs + 1);
  const beyond = Math.max(input.from, horizonEnd);
  if (beyond < input.to) {
    changes.push(startOfDay(timeZone, dayOf(wallClockAt(timeZone, beyond)) - horizonDays));
  }
  return changes.length > 0 ? Math.min(...changes) : null;
}

function meets(spans: readonly Span[], from: number, until: number): boolean {
  return spans.some(
    ({ startsAt, endsAt }) => startsAt < endsAt && startsAt < until && from < endsAt,
  );
}

/** @param span the open span that contains the start, if any does */
function refusal(
  known: Occupancy,
  measures: Measures,
  span: OpenSpan | undefined,
  start: number,
): SlotRefusal | null {
  const { stepMs, durationMs, beforeMs, afterMs, earliest, horizonEnd, isFull } = measures;
  const end = start + durationMs;
  if (start < earliest) return 'notice';
  if (start >= horizonEnd) return 'horizon';
  if (!span || end > span.openUntil) return 'outside_hours';
  if (isFull(span.day)) return 'limit';
  if (meets(known.busy, start, end)) return 'busy';
  if (meets(known.claims, start - beforeMs, end + afterMs)) return 'claim';
  if (meets(known.busy, start - beforeMs, end + afterMs)) return 'buffer';
  return nextOnGrid(span, stepMs, start) === start ? null : 'off_grid';
}

/**
 * Why an appointment may not start at an instant; null when it may, which is so exactly when
 * {@link findSlots} offers it.
 *
 * @param noticeGraceMs how long a slot may still be booked after the notice passed it, as long as it
 *   is not past: what was shown may be finished
 */
export function refusalOf(
  known: Occupancy,
  start: number,
  { noticeGraceMs = 0 }: { readonly noticeGraceMs?: number } = {},
): SlotRefusal | null {
  const measures = measure(known, start, start + 1, noticeGraceMs);
  const spans = openSpans(known.rules, start, start + measures.durationMs);
  const span = spans.find(({ from, until }) => from <= start && start < until);
  return refusal(known, measures, span, start);
}

/** The starts of the rules in `[from, to)` that are not offered, in their order, each with its reason. */
export function explainSlots(input: SlotInput): UnofferedStart[] {
  const { rules, from, to } = input;
  const measures = measure(input, from, to);
  const { stepMs, durationMs } = measures;
  const unoffered: { at: number; entry: UnofferedStart }[] = skippedStarts(rules, from, to).map(
    ({ at, wallMs }) => ({ at, entry: { localTime: describeWallClock(wallMs), reason: 'dst' } }),
  );
  for (const span of openSpans(rules, from, to + durationMs)) {
    const end = Math.min(span.until, to);
    let start = nextOnGrid(span, stepMs, Math.max(span.from, from));
    for (; start < end; start += stepMs) {
      const reason = refusal(input, measures, span, start);
      if (reason) unoffered.push({ at: start, entry: { start, reason } });
    }
  }
  return unoffered.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
}
