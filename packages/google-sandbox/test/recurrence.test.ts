import fc from 'fast-check';
import { RRule } from 'rrule';
import { describe, expect, test } from 'vitest';
import { occurrences } from '../src/calendar/recurrence.ts';
import { instantOfWall } from '../src/calendar/zone-offsets.ts';
import { runSize } from './run-size.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Twenty zones: half-hour steps, quarter-hour offsets, DST south and north, and none at all. */
const ZONES = [
  'Europe/Berlin',
  'Europe/London',
  'Europe/Dublin',
  'Asia/Jerusalem',
  'America/New_York',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Asuncion',
  'America/Santiago',
  'America/Havana',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Tehran',
  'Asia/Beirut',
  'America/Nuuk',
  'Asia/Gaza',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Pacific/Chatham',
  'Antarctica/Troll',
];

/** Every change of offset of a zone from 2020 to 2035. */
function transitionsOf(zone: string): Temporal.ZonedDateTime[] {
  const found: Temporal.ZonedDateTime[] = [];
  let at = Temporal.Instant.from('2020-01-01T00:00:00Z')
    .toZonedDateTimeISO(zone)
    .getTimeZoneTransition('next');
  while (at !== null && at.year <= 2035) {
    found.push(at);
    at = at.getTimeZoneTransition('next');
  }
  return found;
}

/** The instant of a wall-clock time as Temporal settles it, gaps and folds 'compatible'. */
function compatible(zone: string, wallMs: number): number {
  return Temporal.PlainDateTime.from(new Date(wallMs).toISOString().slice(0, -1)).toZonedDateTime(
    zone,
    { disambiguation: 'compatible' },
  ).epochMilliseconds;
}

const weekday = fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU');
const some = <Value>(value: fc.Arbitrary<Value>, most: number) =>
  fc.uniqueArray(value, { minLength: 1, maxLength: most });
const upTo = (most: number) => fc.integer({ min: 1, max: most });
const signed = (most: number) => upTo(most).chain((value) => fc.constantFrom(value, -value));

const NONE: fc.Arbitrary<string[]> = fc.constant([]);

/** Parts that pick days, for each frequency. */
const DAY_PARTS: Record<string, fc.Arbitrary<string[]>> = {
  DAILY: fc.oneof(
    NONE,
    some(upTo(12), 6).map((months) => [`BYMONTH=${months}`]),
    some(weekday, 5).map((days) => [`BYDAY=${days}`]),
  ),
  WEEKLY: fc.oneof(
    NONE,
    fc.tuple(some(weekday, 5), weekday).map(([days, start]) => [`BYDAY=${days}`, `WKST=${start}`]),
  ),
  MONTHLY: fc.oneof(
    NONE,
    some(signed(31), 4).map((days) => [`BYMONTHDAY=${days}`]),
    some(
      fc.tuple(signed(4), weekday).map(([nth, day]) => `${nth}${day}`),
      3,
    ).map((days) => [`BYDAY=${days}`]),
    fc
      .tuple(some(weekday, 5), signed(3))
      .map(([days, place]) => [`BYDAY=${days}`, `BYSETPOS=${place}`]),
  ),
  YEARLY: fc.oneof(
    NONE,
    some(upTo(12), 3).map((months) => [`BYMONTH=${months}`]),
    fc
      .tuple(some(upTo(12), 3), some(fc.tuple(signed(4), weekday), 2))
      .map(([months, days]) => [
        `BYMONTH=${months}`,
        `BYDAY=${days.map(([nth, day]) => `${nth}${day}`)}`,
      ]),
    fc.tuple(signed(20), weekday).map(([nth, day]) => [`BYDAY=${nth}${day}`]),
    some(signed(366), 4).map((days) => [`BYYEARDAY=${days}`]),
    fc
      .tuple(some(signed(52), 3), weekday)
      .map(([weeks, day]) => [`BYWEEKNO=${weeks}`, `BYDAY=${day}`]),
  ),
};

const rule = fc
  .constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY')
  .chain((frequency) =>
    fc.tuple(
      fc.constant([`FREQ=${frequency}`]),
      upTo(4).map((interval) => [`INTERVAL=${interval}`]),
      DAY_PARTS[frequency] as fc.Arbitrary<string[]>,
      fc.oneof(
        NONE,
        upTo(40).map((count) => [`COUNT=${count}`]),
      ),
    ),
  )
  .map((parts) => parts.flat().join(';'));

/** Wall-clock starts of a rule by the `rrule` package, which knows no zones here. */
function byRrule(rule: string, startWall: number, to: number): number[] {
  const options = RRule.parseString(rule);
  return new RRule({ ...options, dtstart: new Date(startWall) })
    .between(new Date(startWall), new Date(to), true)
    .map((date) => date.getTime());
}

describe('recurrence', () => {
  test.each(ZONES)('equals rrule in local time over every transition 2020–2035: %s', (zone) => {
    const transitions = transitionsOf(zone);
    const checked = { gaps: 0, folds: 0, occurrences: 0 };
    // Zones without transitions are checked around an ordinary day.
    const middles =
      transitions.length > 0
        ? transitions
        : [Temporal.Instant.from('2027-03-28T01:00:00Z').toZonedDateTimeISO(zone)];
    for (const transition of middles) {
      const before = transition.subtract({ milliseconds: 1 });
      const gapMs = (transition.offsetNanoseconds - before.offsetNanoseconds) / 1e6;
      // The wall clock at which the clocks change, by the offset before.
      const wallAt = transition.epochMilliseconds + before.offsetNanoseconds / 1e6;
      fc.assert(
        fc.property(
          rule,
          fc.integer({ min: -120, max: 0 }),
          fc.integer({ min: -4, max: 4 }),
          (text, days, quarters) => {
            // A time of day close to the change, so that many fall into the gap or the fold.
            const startWall = wallAt + days * DAY_MS + quarters * 15 * 60_000;
            const start = compatible(zone, startWall);
            // A start inside a gap of its own is another event; take starts that exist.
            fc.pre(instantOfWall(zone, startWall) === start && wallOf(zone, start) === startWall);
            const to = wallAt + 400 * DAY_MS;
            const expected = byRrule(text, startWall, to + 2 * DAY_MS);
            const found = occurrences(
              {
                start: { allDay: false, epochMs: start, timeZone: zone },
                end: { allDay: false, epochMs: start + HOUR_MS, timeZone: zone },
                recurrence: [`RRULE:${text}`],
              },
              'UTC',
              { endsAfter: Number.NEGATIVE_INFINITY, startsBefore: to },
            );
            const starts = [...found].map((occurrence) =>
              occurrence.start.allDay ? 0 : occurrence.start.epochMs,
            );
            const wanted = expected
              .map((wall) => compatible(zone, wall))
              .filter((epochMs) => epochMs < to);
            expect(starts.map(iso)).toEqual(wanted.map(iso));
            checked.occurrences += wanted.length;
            for (const wall of expected) {
              if (gapMs > 0 && wall >= wallAt && wall < wallAt + gapMs) checked.gaps += 1;
              if (gapMs < 0 && wall >= wallAt + gapMs && wall < wallAt) checked.folds += 1;
            }
          },
        ),
        { numRuns: runSize(60, 12), seed: transition.epochMilliseconds % 2 ** 31 },
      );
    }
    expect(checked.occurrences).toBeGreaterThan(100);
    // The test is only worth something if it went through gaps and folds.
    if (transitions.length > 20) expect(Math.min(checked.gaps, checked.folds)).toBeGreaterThan(0);
  });

  test('an exception date, an added date and UNTIL count as RFC 5545 says', () => {
    const start = Date.parse('2027-03-26T09:00:00Z');
    const expand = (recurrence: string[]) =>
      [
        ...occurrences(
          {
            start: { allDay: false, epochMs: start, timeZone: 'Europe/Berlin' },
            end: { allDay: false, epochMs: start + HOUR_MS, timeZone: 'Europe/Berlin' },
            recurrence,
          },
          'Europe/Berlin',
          { endsAfter: Number.NEGATIVE_INFINITY, startsBefore: Number.POSITIVE_INFINITY },
        ),
      ].map((occurrence) => (occurrence.start.allDay ? '' : iso(occurrence.start.epochMs)));
    expect(
      expand([
        'RRULE:FREQ=DAILY;UNTIL=20270329T080000Z',
        'EXDATE;TZID=Europe/Berlin:20270327T100000',
        'RDATE:20270401T100000Z',
      ]),
    ).toEqual([
      '2027-03-26T09:00:00.000Z',
      '2027-03-28T08:00:00.000Z',
      '2027-03-29T08:00:00.000Z',
      '2027-04-01T10:00:00.000Z',
    ]);
    expect(expand(['RRULE:FREQ=DAILY'])).toHaveLength(730);
  });
});

function wallOf(zone: string, epochMs: number): number {
  const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone);
  return epochMs + zoned.offsetNanoseconds / 1e6;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
