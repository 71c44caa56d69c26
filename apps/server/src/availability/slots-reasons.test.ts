import { describe, expect, test } from 'vitest';
import { allWeek, anyTime, at, type DayCase, dayOf, shown } from '../../test/support/slot-days.ts';
import {
  explainSlots,
  findSlots,
  reachOf,
  refusalOf,
  type SlotInput,
  type SlotRules,
} from './slots.ts';

const minuteMs = 60_000;

describe('limits', () => {
  const limited = (limits: Partial<SlotRules>, booked: readonly string[]): SlotInput => ({
    ...dayOf({ rules: { weeklyHours: allWeek('09:00-10:00'), ...limits } }),
    // From Friday to Tuesday: the week ends in between.
    ...{ from: at('2026-06-05T00:00'), to: at('2026-06-10T00:00') },
    bookedStarts: booked.map((text) => at(text, 'Europe/Berlin')),
  });
  const openDays = (input: SlotInput) =>
    new Set(shown(findSlots(input).slots, 'Europe/Berlin').map((text) => text.slice(8, 10)));

  test.each<[string, Partial<SlotRules>, string[], string]>([
    ['none', {}, ['2026-06-05T20:00'], '05 06 07 08 09'],
    ['a full day', { maxPerDay: 1 }, ['2026-06-05T23:30'], '06 07 08 09'],
    ['a day with one left', { maxPerDay: 2 }, ['2026-06-05T09:00'], '05 06 07 08 09'],
    ['the day of the owner, not of UTC', { maxPerDay: 1 }, ['2026-06-06T00:30'], '05 07 08 09'],
    ['a full week, booked on its Monday', { maxPerWeek: 1 }, ['2026-06-01T00:00'], '08 09'],
    ['a full week, booked on its Sunday', { maxPerWeek: 1 }, ['2026-06-14T23:59'], '05 06 07'],
    [
      'the week before and the one after',
      { maxPerWeek: 1 },
      ['2026-05-31T23:59', '2026-06-15T00:00'],
      '05 06 07 08 09',
    ],
    ['no appointments at all', { maxPerDay: 0 }, [], ''],
    [
      'both limits',
      { maxPerDay: 1, maxPerWeek: 2 },
      ['2026-06-06T09:00', '2026-06-09T09:00', '2026-06-12T09:00'],
      '05 07',
    ],
  ])('%s', (_, limits, booked, expected) => {
    expect([...openDays(limited(limits, booked))].join(' ')).toBe(expected);
  });

  test('weeks go on across the year', () => {
    const input = {
      ...limited({ maxPerWeek: 1, horizonDays: 400 }, ['2026-12-28T09:00']),
      ...{ from: at('2026-12-31T00:00'), to: at('2027-01-05T00:00') },
    };
    expect([...openDays(input)]).toEqual(['04']);
  });
});

describe('reasons', () => {
  const hours = allWeek('09:00-12:00');

  test.each<[string, DayCase, string]>([
    ['an event', { busy: ['10:00-10:30'] }, '10:00 busy'],
    ['a claim', { claims: ['10:00-10:30'] }, '10:00 claim'],
    ['an event before a claim', { busy: ['10:00-10:30'], claims: ['10:00-10:30'] }, '10:00 busy'],
    [
      'a buffer',
      { busy: ['10:00-10:30'], rules: { bufferBeforeMinutes: 5, bufferAfterMinutes: 5 } },
      '09:30 buffer, 10:00 busy, 10:30 buffer',
    ],
    [
      'a buffer against a claim',
      { claims: ['10:00-10:30'], rules: { bufferAfterMinutes: 5 } },
      '09:30 claim, 10:00 claim',
    ],
    [
      'the notice before an event',
      { busy: ['09:00-10:30'], now: '2026-06-03T09:45' },
      '09:00 notice, 09:30 notice, 10:00 busy',
    ],
    ['the horizon', { rules: { horizonDays: 0 }, now: '2026-06-02T12:00' }, 'all horizon'],
    ['a limit before an event', { rules: { maxPerDay: 0 }, busy: ['10:00-10:30'] }, 'all limit'],
    ['an appointment too long for what is left', { minutes: 60 }, '11:30 outside_hours'],
    [
      'a start that the clocks skip',
      { day: '2026-03-29', rules: { weeklyHours: allWeek('01:30-03:30') } },
      '02:00 dst, 02:30 dst',
    ],
  ])('%s', (_, tried, expected) => {
    const input = dayOf({ ...tried, rules: { weeklyHours: hours, ...tried.rules } });
    const unoffered = explainSlots(input).map((entry) => {
      const local =
        'localTime' in entry ? entry.localTime : shown([entry.start], input.rules.timeZone)[0];
      return `${local?.slice(11, 16)} ${entry.reason}`;
    });
    const all = ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30'];
    expect(unoffered.join(', ')).toBe(
      expected.startsWith('all ')
        ? all.map((time) => `${time}${expected.slice(3)}`).join(', ')
        : expected,
    );
  });

  test.each<[string, string | null]>([
    ['09:30', null],
    ['09:29', 'off_grid'],
    ['08:30', 'outside_hours'],
    ['11:31', 'outside_hours'],
    ['12:00', 'outside_hours'],
    ['10:10', 'busy'],
    ['07:30', 'notice'],
  ])('for one start, %s: %s', (time, reason) => {
    const input = dayOf({
      rules: { weeklyHours: hours },
      busy: ['10:00-10:30'],
      now: '2026-06-03T08:00',
    });
    expect(refusalOf(input, at(`2026-06-03T${time}`, 'Europe/Berlin'))).toBe(reason);
  });

  test('what was shown may be finished: grace for the notice, none for the past', () => {
    const input = dayOf({
      rules: { weeklyHours: hours, minimumNoticeMinutes: 60 },
      now: '2026-06-03T09:10',
    });
    const ten = at('2026-06-03T10:00', 'Europe/Berlin');
    expect(refusalOf(input, ten)).toBe('notice');
    expect(refusalOf(input, ten, { noticeGraceMs: 9 * minuteMs })).toBe('notice');
    expect(refusalOf(input, ten, { noticeGraceMs: 10 * minuteMs })).toBeNull();
    const nine = at('2026-06-03T09:00', 'Europe/Berlin');
    expect(refusalOf(input, nine, { noticeGraceMs: 1_440 * minuteMs })).toBe('notice');
  });
});

describe('when the answer changes', () => {
  const now = '2026-06-03T08:00';
  const tried = (override: Partial<SlotRules>, tried: DayCase = {}) =>
    dayOf({ now, ...tried, rules: { weeklyHours: allWeek('09:00-11:00'), ...override } });

  test.each<[string, SlotInput, string | null]>([
    ['as soon as the first slot has begun', tried({}), '2026-06-03T09:00:00.001'],
    [
      'as soon as the notice passes it',
      tried({ minimumNoticeMinutes: 30 }),
      '2026-06-03T08:30:00.001',
    ],
    [
      'when the notice passes the first that is free',
      tried({ minimumNoticeMinutes: 30 }, { busy: ['09:00-10:00'] }),
      '2026-06-03T09:30:00.001',
    ],
    ['never, when all is past', tried({}, { now: '2026-06-03T12:00' }), null],
    ['never, when all is taken', tried({}, { busy: ['09:00-11:00'] }), null],
    [
      'at midnight, when that brings a day',
      { ...tried({ horizonDays: 1 }, { day: '2026-06-05' }) },
      '2026-06-04T00:00',
    ],
    [
      'on the day from which the window can be seen',
      { ...tried({ horizonDays: 1 }, { day: '2026-06-20' }) },
      '2026-06-19T00:00',
    ],
    [
      'at the midnight of the owner, on a day of 23 hours',
      tried({ horizonDays: 3 }, { day: '2026-04-02', now: '2026-03-29T12:00' }),
      '2026-03-30T00:00',
    ],
  ])('%s', (_, input, expected) => {
    const { changesAt } = findSlots(input);
    expect(changesAt).toBe(expected === null ? null : at(expected, 'Europe/Berlin'));
  });
});

test('what must be known: spans within the buffers, appointments of whole weeks', () => {
  const rules = { ...anyTime, bufferBeforeMinutes: 10, bufferAfterMinutes: 20, horizonDays: 60 };
  const berlin = (text: string) => at(text, 'Europe/Berlin');
  const known = { rules, durationMinutes: 30, now: berlin('2026-03-01T08:00') };
  const reach = (from: string, to: string) => reachOf(known, berlin(from), berlin(to));
  expect(reach('2026-03-25T12:00', '2026-03-26T00:00')).toEqual({
    taken: { startsAt: berlin('2026-03-25T11:50'), endsAt: berlin('2026-03-26T00:50') },
    counted: { startsAt: berlin('2026-03-23T00:00'), endsAt: berlin('2026-03-30T00:00') },
  });
  // Nothing of what is past, or beyond the horizon.
  expect(reach('2020-01-01T00:00', '2035-01-01T00:00').taken).toEqual({
    startsAt: berlin('2026-03-01T07:50'),
    endsAt: berlin('2026-05-01T00:50'),
  });
  const nothing = { startsAt: known.now, endsAt: known.now };
  for (const [from, to] of [
    ['2020-01-01T00:00', '2026-03-01T08:00'],
    ['2026-05-01T00:00', '2035-01-01T00:00'],
  ] as const) {
    expect(reach(from, to)).toEqual({ taken: nothing, counted: nothing });
  }
});
