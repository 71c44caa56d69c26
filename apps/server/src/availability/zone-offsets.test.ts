import { expect, test } from 'vitest';
import { dayMs } from './local-days.ts';
import { offsetSegments, startOfDay, wallClockAt } from './zone-offsets.ts';

const timeZone = 'Europe/Berlin';

/** The same by Temporal. */
function expectedWallClock(epochMs: number): number {
  const at = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
  return epochMs + at.offsetNanoseconds / 1e6;
}

test('the clock on the wall is that of Temporal, in whatever order moments are asked about', () => {
  const middle = Date.UTC(2026, 2, 29, 1);
  // Some lie on the very edges of what is kept in memory after the one before.
  const distances = [0, 800, -1, -400, 0, 800, 801, 1_600, -401, -801, 0, -50_000, 100_000, 1];
  for (const days of distances) {
    for (const nudge of [0, -1, 1]) {
      const at = middle + days * dayMs + nudge;
      expect(wallClockAt(timeZone, at)).toBe(expectedWallClock(at));
    }
  }
});

test('what was kept in memory shows at no edge', () => {
  const transition = Date.UTC(2026, 2, 29, 1);
  for (const keptDays of [-800, -799, 0, 399, 400]) {
    wallClockAt(timeZone, Date.UTC(1900, 0, 1));
    wallClockAt(timeZone, transition + keptDays * dayMs);
    const segments = offsetSegments(timeZone, transition, transition + 1);
    const [winter, summer] = [-1, 0].map((ms) =>
      segments.find(({ from, until }) => from <= transition + ms && transition + ms < until),
    );
    expect([winter?.offsetMs, summer?.offsetMs]).toEqual([3_600_000, 7_200_000]);
    expect([winter?.until, summer?.from]).toEqual([transition, transition]);
  }
});

test.each([
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00Z'],
  ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00Z'],
  ['America/Santiago', '2026-09-06', '2026-09-06T04:00Z'],
  ['America/Havana', '2026-11-01', '2026-11-01T04:00Z'],
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00Z'],
  ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00Z'],
])('in %s, %s begins at %s', (zone, date, instant) => {
  const day = Date.parse(date) / dayMs;
  expect(startOfDay(zone, day)).toBe(Date.parse(instant));
});

test('a clock that cannot be read is an error, not a time', () => {
  expect(() => wallClockAt(timeZone, Number.NaN)).toThrow(RangeError);
  expect(() => wallClockAt('Mars/Olympus', 0)).toThrow(RangeError);
});
