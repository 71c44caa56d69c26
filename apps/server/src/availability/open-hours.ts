import { type WeeklyHours, weekdays } from '@calhook/contract';
import { clockTimeMs, dayMs, dayOf, dayOfDate, minuteMs, weekdayOf } from './local-days.ts';
import { offsetSegments } from './zone-offsets.ts';

/** When a bot may be booked, in the zone of its owner. */
export interface HoursRules {
  readonly timeZone: string;
  /** Null: any hour of any day. */
  readonly weeklyHours: WeeklyHours | null;
  /** Replaces the hours of the weekday on a local date; without ranges it is a day off. */
  readonly dateOverrides: readonly DateOverride[];
  /** Distance of the starts on offer, from the start of each range by the clock on the wall. */
  readonly slotStepMinutes: number;
}

interface DateOverride {
  /** YYYY-MM-DD */
  readonly date: string;
  readonly ranges: readonly ClockRange[];
}

interface ClockRange {
  /** HH:mm */
  readonly start: string;
  /** HH:mm up to 24:00, exclusive. */
  readonly end: string;
}

/** An unbroken span of real time within one range of one local day. */
export interface OpenSpan {
  /** Epoch milliseconds. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly until: number;
  /** Where spans touch this one, the end of the last of them: until then an appointment may last. */
  readonly openUntil: number;
  readonly day: number;
  /** An instant from which the starts of this span are whole steps away; maybe outside of it. */
  readonly anchor: number;
}

/** Milliseconds after midnight, by the clock on the wall. */
interface DayRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly anchorMs: number;
}

interface Timetable {
  /** From Monday on. */
  readonly weekdays: readonly (readonly DayRange[])[];
  readonly overrides: ReadonlyMap<number, readonly DayRange[]>;
}

const wholeDay: readonly ClockRange[] = [{ start: '00:00', end: '24:00' }];
const timetables = new WeakMap<HoursRules, Timetable>();

/** Sorted and disjoint: where ranges overlap, the time belongs to the one that begins earlier. */
function dayRanges(ranges: readonly ClockRange[]): DayRange[] {
  const disjoint: DayRange[] = [];
  let closedUntil = 0;
  const sorted = ranges.toSorted((a, b) => clockTimeMs(a.start) - clockTimeMs(b.start));
  for (const range of sorted) {
    const anchorMs = clockTimeMs(range.start);
    const startMs = Math.max(anchorMs, closedUntil);
    const endMs = clockTimeMs(range.end);
    if (endMs <= startMs) continue;
    disjoint.push({ startMs, endMs, anchorMs });
    closedUntil = endMs;
  }
  return disjoint;
}

function timetableOf(rules: HoursRules): Timetable {
  let timetable = timetables.get(rules);
  if (!timetable) {
    const { weeklyHours, dateOverrides } = rules;
    timetable = {
      weekdays: weekdays.map((day) => dayRanges(weeklyHours ? (weeklyHours[day] ?? []) : wholeDay)),
      overrides: new Map(dateOverrides.map((o) => [dayOfDate(o.date), dayRanges(o.ranges)])),
    };
    timetables.set(rules, timetable);
  }
  return timetable;
}

/** The ranges of a local day, in wall-clock time of that day. */
function rangesOf(rules: HoursRules, day: number): readonly DayRange[] {
  const { weekdays, overrides } = timetableOf(rules);
  return overrides.get(day) ?? (weekdays[weekdayOf(day)] as readonly DayRange[]);
}

/** @throws {RangeError} when starts would not advance */
export function stepMsOf(rules: HoursRules): number {
  const stepMs = rules.slotStepMinutes * minuteMs;
  if (!(stepMs > 0)) throw new RangeError(`a step of ${rules.slotStepMinutes} minutes`);
  return stepMs;
}

/**
 * The spans of real time that meet `[from, until)` and lie within the hours, ascending. They are
 * whole: what lies outside of the window is not cut off, so no answer depends on the window.
 *
 * One sentence decides: a moment is open when the clock on the owner's wall shows a time within the
 * hours of its date. So a start that the clocks skip moves to the first moment after the gap, a start
 * shown twice is the earlier one, an end shown twice the later one; and in a repeated hour that lies
 * half within a range, only that half is open, both times. Grids follow the clock on the wall
 * as well: 08:00, 10:00, 12:00 on every day, whatever the clocks did in the night.
 *
 * @param rules must not be changed afterwards: what is made of it is kept as long as it is
 */
export function openSpans(rules: HoursRules, from: number, until: number): OpenSpan[] {
  const spans: { from: number; until: number; openUntil: number; day: number; anchor: number }[] =
    [];
  for (const segment of offsetSegments(rules.timeZone, from, until)) {
    if (segment.until <= from) continue;
    if (segment.from >= until) break;
    const { offsetMs } = segment;
    const lastDay = dayOf(Math.min(segment.until, until) - 1 + offsetMs);
    for (let day = dayOf(Math.max(segment.from, from) + offsetMs); day <= lastDay; day++) {
      const midnight = day * dayMs - offsetMs;
      for (const range of rangesOf(rules, day)) {
        const begin = Math.max(midnight + range.startMs, segment.from);
        const end = Math.min(midnight + range.endMs, segment.until);
        if (end <= begin || end <= from || begin >= until) continue;
        const anchor = midnight + range.anchorMs;
        spans.push({ from: begin, until: end, openUntil: end, day, anchor });
      }
    }
  }
  for (let i = spans.length - 2; i >= 0; i--) {
    const [span, next] = [spans[i], spans[i + 1]] as [(typeof spans)[0], (typeof spans)[0]];
    if (span.until === next.from) span.openUntil = next.openUntil;
  }
  return spans;
}

/** The first start of a span's grid at or after an instant. */
export function nextOnGrid(span: OpenSpan, stepMs: number, epochMs: number): number {
  return span.anchor + Math.ceil((epochMs - span.anchor) / stepMs) * stepMs;
}

/**
 * The starts that the rules name and the clocks skip within `[from, until)`.
 *
 * @returns wall-clock times, each with the instant at which the clocks skip it
 */
export function skippedStarts(
  rules: HoursRules,
  from: number,
  until: number,
): { at: number; wallMs: number }[] {
  const stepMs = stepMsOf(rules);
  const skipped: { at: number; wallMs: number }[] = [];
  const segments = offsetSegments(rules.timeZone, from, until);
  segments.forEach(({ from: at, offsetMs }, i) => {
    const before = segments[i - 1];
    if (!before || at < from || at >= until) return;
    const [gapStart, gapEnd] = [at + before.offsetMs, at + offsetMs];
    for (let day = dayOf(gapStart); day * dayMs < gapEnd; day++) {
      for (const range of rangesOf(rules, day)) {
        const anchor = day * dayMs + range.anchorMs;
        const first = Math.max(gapStart, day * dayMs + range.startMs);
        const end = Math.min(gapEnd, day * dayMs + range.endMs);
        let wallMs = anchor + Math.ceil((first - anchor) / stepMs) * stepMs;
        for (; wallMs < end; wallMs += stepMs) skipped.push({ at, wallMs });
      }
    }
  });
  return skipped;
}
