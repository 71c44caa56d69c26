import { expect, test } from 'vitest';
import { allWeek, type DayCase, dayOf, shown } from '../../test/support/slot-days.ts';
import { findSlots, type SlotInput } from './slots.ts';

/** Clock times on the tried day. */
function clockTimes(input: SlotInput): string[] {
  return shown(findSlots(input).slots, input.rules.timeZone).map((text) => text.slice(11, 16));
}

test.each<[string, DayCase, string]>([
  ['a range', { rules: { weeklyHours: allWeek('09:00-10:30') } }, '09:00 09:30 10:00'],
  [
    'a grid that begins with the range, not with the hour',
    { rules: { weeklyHours: allWeek('09:15-11:00') } },
    '09:15 09:45 10:15',
  ],
  [
    'a grid of its own for each range',
    { rules: { weeklyHours: allWeek('14:10-15:10', '09:00-10:00') } },
    '09:00 09:30 14:10 14:40',
  ],
  [
    'an appointment that spans ranges that touch, each with its own grid',
    { rules: { weeklyHours: allWeek('09:00-10:15', '10:15-11:00') }, minutes: 45 },
    '09:00 09:30 10:00 10:15',
  ],
  [
    'no appointment across a hole',
    { rules: { weeklyHours: allWeek('09:00-10:00', '10:05-11:00') }, minutes: 60 },
    '09:00',
  ],
  [
    'ranges that overlap: the time belongs to the earlier one',
    { rules: { weeklyHours: allWeek('09:00-10:00', '09:45-11:00') } },
    '09:00 09:30 10:15',
  ],
  [
    'a range within another',
    { rules: { weeklyHours: allWeek('09:00-10:00', '09:10-09:20') } },
    '09:00 09:30',
  ],
  ['a range without length', { rules: { weeklyHours: allWeek('09:00-09:00', '10:00-09:00') } }, ''],
  [
    'a closed weekday',
    { rules: { weeklyHours: { thursday: [{ start: '09:00', end: '10:00' }] } } },
    '',
  ],
  [
    'an override instead of the weekday',
    {
      rules: {
        weeklyHours: allWeek('09:00-10:00'),
        dateOverrides: [{ date: '2026-06-03', ranges: [{ start: '20:00', end: '21:00' }] }],
      },
    },
    '20:00 20:30',
  ],
  [
    'an override of another date',
    {
      rules: {
        weeklyHours: allWeek('09:00-10:00'),
        dateOverrides: [{ date: '2026-06-04', ranges: [] }],
      },
    },
    '09:00 09:30',
  ],
  ['a day off', { rules: { dateOverrides: [{ date: '2026-06-03', ranges: [] }] } }, ''],
  [
    'a step longer than the appointment',
    { rules: { weeklyHours: allWeek('09:00-12:00'), slotStepMinutes: 60 } },
    '09:00 10:00 11:00',
  ],
  [
    'a step shorter than the appointment',
    { rules: { weeklyHours: allWeek('09:00-10:30'), slotStepMinutes: 15 }, minutes: 60 },
    '09:00 09:15 09:30',
  ],
  [
    'neighbours that touch',
    { rules: { weeklyHours: allWeek('09:00-11:00') }, busy: ['09:30-10:00'] },
    '09:00 10:00 10:30',
  ],
  [
    'an event of a minute, and one without length',
    { rules: { weeklyHours: allWeek('09:00-11:00') }, busy: ['09:59-10:00', '10:40-10:40'] },
    '09:00 10:00 10:30',
  ],
  [
    'events in no order that overlap',
    {
      rules: { weeklyHours: allWeek('09:00-13:00') },
      busy: ['11:00-11:10', '09:10-11:20', '09:20-09:40'],
    },
    '11:30 12:00 12:30',
  ],
  [
    'a buffer before',
    {
      rules: { weeklyHours: allWeek('09:00-11:30'), bufferBeforeMinutes: 10 },
      busy: ['09:30-10:00'],
    },
    '09:00 10:30 11:00',
  ],
  [
    'a buffer after',
    {
      rules: { weeklyHours: allWeek('09:00-11:30'), bufferAfterMinutes: 10 },
      busy: ['10:00-10:30'],
    },
    '09:00 10:30 11:00',
  ],
  [
    'buffers that may lie outside of the hours',
    {
      rules: {
        weeklyHours: allWeek('09:00-10:00'),
        bufferBeforeMinutes: 60,
        bufferAfterMinutes: 60,
      },
      busy: ['07:00-08:00', '11:00-12:00'],
    },
    '09:00 09:30',
  ],
  [
    'claims as they are, with the buffers of the appointment',
    {
      rules: { weeklyHours: allWeek('09:00-11:30'), bufferBeforeMinutes: 30 },
      claims: ['09:30-10:00'],
    },
    '09:00 10:30 11:00',
  ],
  [
    'the notice, exactly kept',
    {
      rules: { weeklyHours: allWeek('09:00-11:00'), minimumNoticeMinutes: 60 },
      now: '2026-06-03T08:30',
    },
    '09:30 10:00 10:30',
  ],
  [
    'what is past',
    { rules: { weeklyHours: allWeek('09:00-11:00') }, now: '2026-06-03T10:15' },
    '10:30',
  ],
  [
    'the last day of the horizon, to its end',
    { rules: { weeklyHours: allWeek('22:00-24:00'), horizonDays: 2 }, now: '2026-06-01T00:00' },
    '22:00 22:30 23:00 23:30',
  ],
  [
    'the day beyond the horizon',
    { rules: { weeklyHours: allWeek('00:00-02:00'), horizonDays: 2 }, now: '2026-05-31T23:59' },
    '',
  ],
])('a day of %s', (_, tried, expected) => {
  expect(clockTimes(dayOf(tried)).join(' ')).toBe(expected);
});

test('any hour of any day, when there are no weekly hours', () => {
  const slots = clockTimes(dayOf({ minutes: 60 }));
  expect(slots).toHaveLength(48);
  expect([slots[0], slots.at(-1)]).toEqual(['00:00', '23:30']);
});

test('an appointment runs past midnight where the hours of both days touch', () => {
  const late = { ...dayOf({ rules: { weeklyHours: allWeek('22:00-24:00', '00:00-01:00') } }) };
  expect(clockTimes({ ...late, durationMinutes: 120 })).toEqual(['22:00', '22:30', '23:00']);
  const offTomorrow = {
    ...late,
    rules: { ...late.rules, dateOverrides: [{ date: '2026-06-04', ranges: [] }] },
  };
  expect(clockTimes({ ...offTomorrow, durationMinutes: 120 })).toEqual(['22:00']);
});

test.each([
  ['a step', { rules: { slotStepMinutes: 0 } }],
  ['a step', { rules: { slotStepMinutes: Number.NaN } }],
  ['a duration', { minutes: 0 }],
  ['a date', { rules: { dateOverrides: [{ date: '2026-02-30', ranges: [] }] } }],
  ['a date', { rules: { dateOverrides: [{ date: '1.6.2026', ranges: [] }] } }],
])('%s without sense is refused, not computed with: %j', (_, tried) => {
  expect(() => findSlots(dayOf(tried))).toThrow(RangeError);
});
