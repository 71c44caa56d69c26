import type { Weekday } from '@calhook/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotReference } from '../../test/support/slot-reference.ts';
import { explainSlots, findSlots, reachOf, refusalOf, type SlotInput, type Span } from './slots.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const aroundMs = 3 * 24 * hourMs;

/**
 * How many transitions of each zone are tried: one into summer time and one out of it, as a rule,
 * in other years for each zone. A long run tries all.
 */
const transitionsPerZone = process.env.CALHOOK_LONG ? Number.POSITIVE_INFINITY : 2;

function transitionsOf(timeZone: string): number[] {
  const found: number[] = [];
  let at = Temporal.Instant.from('2020-01-01T00:00Z').toZonedDateTimeISO(timeZone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (!next || next.year > 2035) return found;
    found.push(next.epochMilliseconds);
    at = next;
  }
}

const clock = (minuteOfDay: number) =>
  `${String(Math.floor(minuteOfDay / 60)).padStart(2, '0')}:${String(minuteOfDay % 60).padStart(2, '0')}`;

interface ClockRange {
  start: string;
  end: string;
}

const one = (start: string, end: string) => fc.constant<ClockRange[]>([{ start, end }]);

/** Hours of one day; those in the night and those that touch midnight matter most. */
const ranges = fc.oneof(
  { weight: 1, arbitrary: one('09:00', '17:00') },
  { weight: 1, arbitrary: fc.constant<ClockRange[]>([]) },
  {
    weight: 3,
    arbitrary: fc
      .uniqueArray(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 288 })), {
        minLength: 2,
        maxLength: 6,
      })
      .map((edges) => {
        const sorted = edges.map((edge) => edge * 5).sort((a, b) => a - b);
        return sorted.flatMap((start, i) => {
          const end = sorted[i + 1];
          // Some ranges touch, some days have a hole.
          return end === undefined || (i % 2 === 1 && start % 3 === 0)
            ? []
            : [{ start: clock(start), end: clock(end) }];
        });
      }),
  },
  { weight: 1, arbitrary: one('22:30', '24:00') },
  { weight: 1, arbitrary: one('00:00', '24:00') },
);

const weeklyHours = fc.oneof(
  fc.constant(null),
  fc
    .tuple(ranges, ranges, ranges, ranges, ranges, ranges, ranges)
    .map(([monday, tuesday, wednesday, thursday, friday, saturday, sunday]) => ({
      ...{ monday, tuesday, wednesday, thursday, friday, saturday, sunday },
    })),
);

/** Whole ticks of five minutes. */
const ticks = (min: number, max: number) => fc.integer({ min, max }).map((n) => n * 5);

function scenarioOf(timeZone: string, moment: number): fc.Arbitrary<SlotInput> {
  const tickMs = 5 * minuteMs;
  const middle = Math.floor(moment / tickMs) * tickMs;
  const instant = (aroundHours: number) =>
    ticks(-12 * aroundHours, 12 * aroundHours).map((offset) => middle + offset * minuteMs);
  const spans = fc.array(
    fc
      .tuple(instant(80), fc.oneof(ticks(0, 12), ticks(0, 300)))
      .map(([startsAt, length]) => ({ startsAt, endsAt: startsAt + length * minuteMs })),
    { maxLength: 12 },
  );
  const localDate = instant(72).map((at) =>
    Temporal.Instant.fromEpochMilliseconds(at)
      .toZonedDateTimeISO(timeZone)
      .toPlainDate()
      .toString(),
  );
  return fc.record({
    rules: fc.record({
      timeZone: fc.constant(timeZone),
      weeklyHours,
      dateOverrides: fc.uniqueArray(fc.record({ date: localDate, ranges }), {
        maxLength: 2,
        selector: ({ date }) => date,
      }),
      slotStepMinutes: fc.constantFrom(5, 15, 20, 30, 45, 60, 90, 120),
      bufferBeforeMinutes: fc.constantFrom(0, 0, 5, 30),
      bufferAfterMinutes: fc.constantFrom(0, 0, 10, 45),
      minimumNoticeMinutes: fc.constantFrom(0, 60, 1_440),
      horizonDays: fc.oneof(fc.constant(365), fc.integer({ min: 0, max: 5 })),
      maxPerDay: fc.constantFrom(null, null, 1, 2),
      maxPerWeek: fc.constantFrom(null, null, 2, 4),
    }),
    durationMinutes: fc.constantFrom(5, 15, 30, 60, 90, 240),
    from: fc.constant(middle - aroundMs),
    to: fc.constant(middle + aroundMs),
    now: fc.oneof(fc.constant(middle - 4 * 24 * hourMs), instant(72)),
    busy: spans,
    claims: spans,
    bookedStarts: fc.array(instant(120), { maxLength: 8 }),
  });
}

const overlaps = (span: Span, from: number, until: number) =>
  span.startsAt < span.endsAt && span.startsAt < until && from < span.endsAt;

const weekdayNames = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' });

/** Every moment of the appointment, by the clock on the wall, is within a range of its date. */
function expectWithinHours(input: SlotInput, start: number, tickMinutes: number): void {
  const { weeklyHours, dateOverrides, timeZone } = input.rules;
  for (let minute = 0; minute < input.durationMinutes; minute += tickMinutes) {
    const at = Temporal.Instant.fromEpochMilliseconds(start + minute * minuteMs);
    const [date = '', time = ''] = at
      .toZonedDateTimeISO(timeZone)
      .toString()
      .split(/[T+-](?=\d\d:)/);
    const weekday = weekdayNames.format(Date.parse(date)).toLowerCase() as Weekday;
    const open =
      dateOverrides.find((override) => override.date === date)?.ranges ??
      (weeklyHours === null ? [{ start: '00:00', end: '24:00' }] : (weeklyHours[weekday] ?? []));
    const shown = time.slice(0, 5);
    if (!open.some((range) => range.start <= shown && shown < range.end)) {
      expect.fail(`${date} ${shown} of the slot at ${start} is outside of ${JSON.stringify(open)}`);
    }
  }
}

function expectAllThatMustHold(input: SlotInput, tickMinutes: number, cut: number): number {
  const { rules, durationMinutes, from, to } = input;
  const found = findSlots(input);
  expect(found.slots).toEqual(new SlotReference(input, tickMinutes).slots());

  for (const start of found.slots) {
    const takenFrom = start - rules.bufferBeforeMinutes * minuteMs;
    const takenUntil = start + (durationMinutes + rules.bufferAfterMinutes) * minuteMs;
    for (const span of [...input.busy, ...input.claims]) {
      if (overlaps(span, takenFrom, takenUntil)) expect.fail(`${start} meets ${span.startsAt}`);
    }
  }
  for (const start of [found.slots[0], found.slots.at(-1)]) {
    if (start !== undefined) expectWithinHours(input, start, tickMinutes);
  }

  // The order of what is known, and all that lies out of reach, is of no importance.
  const { taken, counted } = reachOf(input, from, to);
  const near = (spans: readonly Span[]) =>
    spans.filter((span) => overlaps(span, taken.startsAt, taken.endsAt)).reverse();
  const shuffled = {
    ...input,
    busy: near(input.busy),
    claims: near(input.claims).sort((a, b) => a.endsAt - b.endsAt),
    bookedStarts: input.bookedStarts
      .filter((start) => counted.startsAt <= start && start < counted.endsAt)
      .reverse(),
  };
  expect(findSlots(shuffled)).toEqual(found);

  // Wherever the window is cut, the two halves give the whole, by rules that are new to the engine, too.
  const cutAt = from + Math.floor((to - from) * cut);
  const left = findSlots({ ...input, rules: { ...rules }, to: cutAt });
  const right = findSlots({ ...input, from: cutAt });
  expect([...left.slots, ...right.slots]).toEqual(found.slots);

  // What is not offered is explained, and each start is judged alone as it is among all.
  const unoffered = explainSlots(input);
  const explained = unoffered.flatMap((entry) => ('start' in entry ? [entry] : []));
  for (const { start, reason } of explained.filter((_, i) => i % 7 === 0)) {
    expect(refusalOf(input, start)).toBe(reason);
  }
  const offered = new Set(found.slots);
  expect(explained.filter(({ start }) => offered.has(start))).toEqual([]);
  for (const [i, start] of found.slots.entries()) {
    if (i % 7 !== 0) continue;
    expect(refusalOf(input, start)).toBeNull();
    if (!offered.has(start + minuteMs)) expect(refusalOf(input, start + minuteMs)).not.toBeNull();
  }
  const grid = [...explained.map(({ start }) => start), ...found.slots].sort((a, b) => a - b);
  expect(grid).toEqual(gridOf({ ...input, busy: [], claims: [], bookedStarts: [] }));

  // Until it changes, the answer is the same; past the end of the notice it is not.
  if (found.changesAt === null) {
    expect(findSlots({ ...input, now: input.now + 400 * 24 * hourMs }).slots).toEqual([]);
  } else {
    expect(found.changesAt).toBeGreaterThan(input.now);
    expect(findSlots({ ...input, now: found.changesAt - 1 })).toEqual(found);
    const [first] = found.slots;
    if (
      first !== undefined &&
      found.changesAt === first - rules.minimumNoticeMinutes * minuteMs + 1
    ) {
      expect(findSlots({ ...input, now: found.changesAt }).slots).not.toContain(first);
    }
  }
  return found.slots.length;
}

/** All starts that the rules name, whether an appointment fits or not. */
function gridOf(input: SlotInput): number[] {
  const rules = {
    ...input.rules,
    ...{ bufferBeforeMinutes: 0, bufferAfterMinutes: 0, minimumNoticeMinutes: 0 },
    ...{ horizonDays: 365, maxPerDay: null, maxPerWeek: null },
  };
  // One minute fits everywhere: no zone changes its clocks within one.
  return findSlots({ ...input, rules, now: input.from, durationMinutes: 1 }).slots;
}

const zones = Intl.supportedValuesOf('timeZone').map((timeZone) => ({
  timeZone,
  transitions: transitionsOf(timeZone),
}));

test('all zones are there, with their transitions', () => {
  expect(zones.length).toBeGreaterThan(400);
  const berlin = zones.find(({ timeZone }) => timeZone === 'Europe/Berlin');
  expect(berlin?.transitions).toHaveLength(2 * 16);
  expect(zones.flatMap(({ transitions }) => transitions).length).toBeGreaterThan(4_000);
});

/** Zones that never change their clocks are tried at one moment all the same. */
function momentsOf(transitions: readonly number[], zoneIndex: number): readonly number[] {
  if (transitions.length === 0) return [Date.UTC(2026, 5, 3)];
  const first = zoneIndex % transitions.length;
  return [...transitions.slice(first), ...transitions.slice(0, first)].slice(0, transitionsPerZone);
}

test('around changes of every zone, the slots are those of the slow reference and keep every promise', {
  timeout: 900_000,
}, () => {
  let [slots, scenarios] = [0, 0];
  for (const [i, { timeZone, transitions }] of zones.entries()) {
    for (const moment of momentsOf(transitions, i)) {
      const tickMinutes = moment % (5 * minuteMs) === 0 ? 5 : 1;
      const property = fc.property(
        scenarioOf(timeZone, moment),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (input, cut) => {
          scenarios += 1;
          slots += expectAllThatMustHold(input, tickMinutes, cut);
        },
      );
      fc.assert(property, { numRuns: 1 });
    }
  }
  // Rules that offer nothing would keep every promise.
  expect(slots / scenarios).toBeGreaterThan(20);
});
