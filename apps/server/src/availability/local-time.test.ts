import { expect, test } from 'vitest';
import { minuteMs } from './local-days.ts';
import { formatDateTime, instantOf, wallClockOf } from './local-time.ts';

const from = Date.UTC(2025, 0, 1);
const until = Date.UTC(2028, 0, 1);

/** Instants around the changes of a zone's clocks, on whole minutes. */
function* instantsAround(timeZone: string): Generator<number> {
  yield from;
  let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone);
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (!next || next.epochMilliseconds > until) return;
    for (const minutes of [-90, -60, -31, -30, -1, 0, 1, 29, 30, 59, 60, 61, 1_440]) {
      yield next.epochMilliseconds + minutes * minuteMs;
    }
    at = next;
  }
}

/** RFC 3339, as Temporal writes it. */
function expectedText(epochMs: number, timeZone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMs)
    .toZonedDateTimeISO(timeZone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

/** The instants of a wall-clock time, as Temporal knows them. */
function expectedInstants(text: string, timeZone: string): number[] {
  const wall = Temporal.PlainDateTime.from(text);
  const both = (['earlier', 'later'] as const).map((disambiguation) =>
    wall.toZonedDateTime(timeZone, { disambiguation }),
  );
  const real = both.filter((one) => one.toPlainDateTime().equals(wall));
  return [...new Set(real.map(({ epochMilliseconds }) => epochMilliseconds))];
}

test('times are written and read as Temporal does, in every zone, where clocks change', () => {
  const wrong: unknown[] = [];
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    for (const instant of instantsAround(timeZone)) {
      const text = formatDateTime(instant, timeZone);
      if (text !== expectedText(instant, timeZone)) wrong.push([timeZone, instant, text]);
      // An hour on, so that some are of the hour that is skipped.
      for (const shown of [text.slice(0, 16), shifted(text)]) {
        const [date = '', time = ''] = shown.split('T');
        const read = instantOf({ date, time, timeZone });
        const [first, second] = expectedInstants(shown, timeZone);
        const right =
          first === undefined
            ? { code: 'nonexistent_local_time' }
            : second === undefined
              ? first
              : { code: 'ambiguous_local_time' };
        if (JSON.stringify(read) !== JSON.stringify(right)) wrong.push([timeZone, shown, read]);
      }
      const { date, time } = wallClockOf(instant, timeZone);
      const read = instantOf({ date, time, timeZone, offset: text.slice(19) });
      if (read !== instant) wrong.push([timeZone, text, read]);
    }
  }
  expect(wrong).toEqual([]);
});

/** A wall-clock time one hour later. */
function shifted(text: string): string {
  const later = Temporal.PlainDateTime.from(text.slice(0, 16)).add({ hours: 1 });
  return later.toString({ smallestUnit: 'minute' });
}

test.each([
  ['Asia/Kathmandu', '2026-06-01T12:00:00+05:45'],
  ['America/St_Johns', '2026-06-01T12:00:00-02:30'],
  ['UTC', '2026-06-01T12:00:00+00:00'],
  // Local mean time, to the nearest minute: the offset was -0:01:15.
  ['Europe/London', '1800-06-01T12:00:00-00:01'],
  ['UTC', '+010000-01-01T00:00:00+00:00'],
])('in %s, %s is written with its offset', (timeZone, text) => {
  const instant =
    timeZone === 'Europe/London' ? Date.parse('1800-06-01T12:01:15Z') : Date.parse(text);
  expect(formatDateTime(instant, timeZone)).toBe(text);
});

test.each(['2026-02-30', '2026-13-01', '2026-00-10', '26-01-01', '2026-1-1', ''])(
  '%s is no date',
  (date) => {
    expect(instantOf({ date, time: '10:00', timeZone: 'UTC' })).toEqual({ code: 'invalid_date' });
  },
);

test.each(['-00:00', '+24:00', '01:00', 'z', ''])('%s is no offset', (offset) => {
  const local = { date: '2026-06-01', time: '10:00', timeZone: 'UTC', offset };
  expect(instantOf(local)).toEqual({ code: 'offset_zone_mismatch' });
});
