import { describe, expect, test } from 'vitest';
import type { CalendarEvent } from '../google/index.ts';
import { isOfSeries, readEvent } from './busy-spans.ts';

const at = (dateTime: string, timeZone?: string) => ({ dateTime, ...(timeZone && { timeZone }) });

/** When the owner is busy by an event: `start/end`, or free. */
function busyBy(event: CalendarEvent, calendarZone: string | null = 'Europe/Berlin'): string {
  const { busy, span } = readEvent({ id: 'event', status: 'confirmed', ...event }, calendarZone);
  if (!busy || !span) return 'free';
  const text = (ms: number) => new Date(ms).toISOString().slice(0, 16);
  return `${text(span.startsAt)}/${text(span.endsAt)}`;
}

describe('the span of an event', () => {
  test.each<[string, CalendarEvent, string]>([
    [
      'with offsets',
      { start: at('2026-01-13T10:00:00+01:00'), end: at('2026-01-13T11:00:00+01:00') },
      '2026-01-13T09:00/2026-01-13T10:00',
    ],
    [
      'in UTC',
      { start: at('2026-01-13T10:00:00Z'), end: at('2026-01-13T11:00:00Z') },
      '2026-01-13T10:00/2026-01-13T11:00',
    ],
    [
      'without offsets, in a zone of its own',
      {
        start: at('2026-01-13T10:00:00', 'Asia/Kathmandu'),
        end: at('2026-01-13T11:00:00', 'Asia/Kathmandu'),
      },
      '2026-01-13T04:15/2026-01-13T05:15',
    ],
    [
      'without offsets, in the zone of the calendar',
      { start: at('2026-01-13T10:00:00'), end: at('2026-01-13T11:00:00') },
      '2026-01-13T09:00/2026-01-13T10:00',
    ],
    ['without an end', { start: at('2026-01-13T10:00:00Z') }, '2026-01-13T10:00/2026-01-13T11:00'],
    [
      'of no length',
      { start: at('2026-01-13T10:00:00Z'), end: at('2026-01-13T10:00:00Z') },
      'free',
    ],
    [
      'of days',
      { start: { date: '2026-01-13' }, end: { date: '2026-01-15' } },
      '2026-01-12T23:00/2026-01-14T23:00',
    ],
    [
      'of a day without an end',
      { start: { date: '2026-01-13' } },
      '2026-01-12T23:00/2026-01-13T23:00',
    ],
    [
      'of a day that ends where it begins',
      { start: { date: '2026-01-13' }, end: { date: '2026-01-13' } },
      '2026-01-12T23:00/2026-01-13T23:00',
    ],
    [
      'of the day that the clocks go back',
      { start: { date: '2026-10-25' }, end: { date: '2026-10-26' } },
      '2026-10-24T22:00/2026-10-25T23:00',
    ],
  ])('%s', (_name, event, expected) => {
    expect(busyBy(event)).toBe(expected);
  });

  test.each([
    ['Pacific/Apia', '2026-01-12T11:00/2026-01-13T11:00'],
    ['Pacific/Kiritimati', '2026-01-12T10:00/2026-01-13T10:00'],
    ['Asia/Kathmandu', '2026-01-12T18:15/2026-01-13T18:15'],
    ['America/St_Johns', '2026-01-13T03:30/2026-01-14T03:30'],
    // Where the day lies is not known: it is taken wherever it may lie.
    ['Mars/Olympus_Mons', '2026-01-12T10:00/2026-01-14T12:00'],
    [null, '2026-01-12T10:00/2026-01-14T12:00'],
  ])('of a day in a calendar of %s', (zone, expected) => {
    expect(busyBy({ start: { date: '2026-01-13' }, end: { date: '2026-01-14' } }, zone)).toBe(
      expected,
    );
  });

  test('of the day that Samoa left out begins where the next one does', () => {
    const day = { start: { date: '2011-12-30' }, end: { date: '2011-12-31' } };
    expect(busyBy(day, 'Pacific/Apia')).toBe('free');
  });
});

test.each<[CalendarEvent]>([
  [{}],
  [{ start: {} }],
  [{ start: { date: 'soon' } }],
  [{ start: at('soon') }],
  [{ start: at('2026-01-13T10:00:00', 'Mars/Olympus_Mons') }],
  [{ start: at('2026-01-13T10:00:00Z'), end: at('later') }],
])('an event that cannot be placed is no free time: %j', (event) => {
  expect(() => busyBy(event)).toThrow('unreadable_event');
});

test('a deleted event may be nothing but an id', () => {
  const read = readEvent({ id: 'event', status: 'cancelled' }, 'Europe/Berlin');
  expect(read).toMatchObject({ eventId: 'event', cancelled: true, busy: false, span: null });
});

test.each([
  [{ id: 'a1b2c3', recurringEventId: 'series' }, true],
  [{ id: 'a1b2c3_20260113T090000Z' }, true],
  [{ id: 'a1b2c3_20260113' }, true],
  [{ id: 'a1b2c3_R20260113T090000' }, true],
  [{ id: 'a1b2c3_R20260113T090000_20260120T090000Z' }, true],
  [{ id: '0123456789abcdefghijklmnop' }, false],
  [{ id: '_6tlnaqrle5p6cpb4dhmj4phpeh' }, false],
])('%j is of a series: %s', (event, expected) => {
  expect(isOfSeries(readEvent({ status: 'cancelled', ...event }, 'UTC'))).toBe(expected);
});
