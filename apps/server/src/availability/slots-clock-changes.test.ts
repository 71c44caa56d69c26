import { describe, expect, test } from 'vitest';
import { allWeek, type DayCase, dayOf, shown } from '../../test/support/slot-days.ts';
import { explainSlots, findSlots } from './slots.ts';

const minuteMs = 60_000;

describe('when the clocks change', () => {
  test.each<[string, DayCase, string]>([
    [
      'a start in the gap moves to the first moment after it; the grid does not move',
      { day: '2026-03-29', rules: { weeklyHours: allWeek('02:30-04:00') } },
      '03:00+02:00 03:30+02:00',
    ],
    [
      'an end in the gap moves as well',
      { day: '2026-03-29', rules: { weeklyHours: allWeek('01:00-02:30') } },
      '01:00+01:00 01:30+01:00',
    ],
    [
      'hours that the clocks skip are none',
      { day: '2026-03-29', rules: { weeklyHours: allWeek('02:00-03:00') } },
      '',
    ],
    [
      'an appointment lasts its real minutes across the gap',
      { day: '2026-03-29', minutes: 60, rules: { weeklyHours: allWeek('01:00-03:30') } },
      '01:00+01:00 01:30+01:00',
    ],
    [
      'a repeated hour is offered twice',
      { day: '2026-10-25', rules: { weeklyHours: allWeek('02:00-03:00') } },
      '02:00+02:00 02:30+02:00 02:00+01:00 02:30+01:00',
    ],
    [
      'a start shown twice is the earlier one, and again the later one',
      { day: '2026-10-25', rules: { weeklyHours: allWeek('02:30-03:30') } },
      '02:30+02:00 02:30+01:00 03:00+01:00',
    ],
    [
      'an end shown twice is the later one; the half hour beyond it stays closed both times',
      { day: '2026-10-25', rules: { weeklyHours: allWeek('01:30-02:30') } },
      '01:30+02:00 02:00+02:00 02:00+01:00',
    ],
    [
      'a two-hour grid shows the same times on a day of 23 hours',
      {
        day: '2026-03-29',
        rules: { slotStepMinutes: 120, weeklyHours: allWeek('00:00-09:00') },
      },
      '00:00+01:00 04:00+02:00 06:00+02:00 08:00+02:00',
    ],
    [
      'and on one of 25',
      {
        day: '2026-10-25',
        rules: { slotStepMinutes: 120, weeklyHours: allWeek('00:00-07:00') },
      },
      '00:00+02:00 02:00+02:00 02:00+01:00 04:00+01:00 06:00+01:00',
    ],
    [
      'half an hour is what Lord Howe skips',
      {
        day: '2026-10-04',
        zone: 'Australia/Lord_Howe',
        rules: { weeklyHours: allWeek('01:30-03:00') },
      },
      '01:30+10:30 02:30+11:00',
    ],
    [
      'a day that begins at one o’clock',
      {
        day: '2026-09-06',
        zone: 'America/Santiago',
        rules: { weeklyHours: allWeek('00:00-02:00') },
      },
      '01:00-03:00 01:30-03:00',
    ],
    [
      'a day whose first hour is shown twice',
      { day: '2026-11-01', zone: 'America/Havana', rules: { weeklyHours: allWeek('00:00-01:00') } },
      '00:00-04:00 00:30-04:00 00:00-05:00 00:30-05:00',
    ],
    [
      'Mexico City, which changes them no more',
      {
        day: '2026-04-05',
        zone: 'America/Mexico_City',
        rules: { weeklyHours: allWeek('02:00-03:00') },
      },
      '02:00-06:00 02:30-06:00',
    ],
    [
      'Kathmandu, at a quarter to',
      { day: '2026-06-03', zone: 'Asia/Kathmandu', rules: { weeklyHours: allWeek('09:00-10:00') } },
      '09:00+05:45 09:30+05:45',
    ],
  ])('%s', (_, tried, expected) => {
    const input = dayOf(tried);
    const slots = shown(findSlots(input).slots, input.rules.timeZone);
    expect(slots.map((text) => text.slice(11)).join(' ')).toBe(expected);
  });

  test('the first hour of a closed Sunday is closed both times, though Saturday ends at 24:00', () => {
    const saturday = [{ start: '23:00', end: '24:00' }];
    const input = dayOf({
      day: '2026-11-01',
      zone: 'America/Havana',
      rules: { weeklyHours: { saturday } },
    });
    const from = input.from - 120 * minuteMs;
    expect(shown(findSlots({ ...input, from }).slots, 'America/Havana')).toEqual([
      '2026-10-31T23:00-04:00',
      '2026-10-31T23:30-04:00',
    ]);
  });

  test('the date that Samoa skipped has no slots, and explains them all', () => {
    const input = dayOf({
      ...{ day: '2011-12-29', zone: 'Pacific/Apia', now: '2011-12-01T00:00' },
      rules: { weeklyHours: allWeek('23:00-24:00', '00:00-01:00') },
    });
    const to = input.from + 2 * 1_440 * minuteMs;
    expect(shown(findSlots({ ...input, to }).slots, 'Pacific/Apia')).toEqual([
      ...['2011-12-29T00:00-10:00', '2011-12-29T00:30-10:00'],
      ...['2011-12-29T23:00-10:00', '2011-12-29T23:30-10:00'],
      ...['2011-12-31T00:00+14:00', '2011-12-31T00:30+14:00'],
      ...['2011-12-31T23:00+14:00', '2011-12-31T23:30+14:00'],
    ]);
    expect(explainSlots({ ...input, to })).toEqual(
      ['00:00', '00:30', '23:00', '23:30'].map((time) => ({
        localTime: `2011-12-30T${time}`,
        reason: 'dst',
      })),
    );
  });
});
