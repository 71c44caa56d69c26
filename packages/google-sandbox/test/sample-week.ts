import type { Sandbox } from '../src/index.ts';
import { ADA } from './google-client.ts';

/** Monday, 11 January 2027, 09:20 in Berlin. */
export const WEEK_NOW = Date.parse('2027-01-11T08:20:00Z');

/** An event of that week; weekday 0 is Monday. */
export function inWeek(
  weekday: number,
  hour: number,
  minutes: number,
  more: Record<string, unknown>,
): Record<string, unknown> {
  const start = Date.parse('2027-01-11T00:00:00+01:00') + (weekday * 24 + hour) * 3_600_000;
  const at = (ms: number) => ({ dateTime: new Date(ms).toISOString(), timeZone: 'Europe/Berlin' });
  return { start: at(start), end: at(start + minutes * 60_000), ...more };
}

/** A working week with one of every kind of event, for the pages. */
export function seedWeek(sandbox: Sandbox): void {
  const events: Record<string, unknown>[] = [
    inWeek(0, 9, 45, { summary: 'Stand-up', recurrence: ['RRULE:FREQ=DAILY;COUNT=5'] }),
    inWeek(0, 10, 30, {
      summary: 'Haircut: Grace Hopper',
      attendees: [{ email: 'grace@customer.example' }],
    }),
    inWeek(0, 10.25, 60, { summary: 'Call with the bank' }),
    inWeek(1, 12, 60, { summary: 'Lunch', transparency: 'transparent' }),
    inWeek(2, 14, 90, {
      summary: 'Colouring: Katherine Johnson',
      attendees: [{ email: 'kj@customer.example' }],
    }),
    inWeek(3, 16, 45, { summary: 'Perhaps: supplier', status: 'tentative' }),
    { summary: 'Trade fair', start: { date: '2027-01-14' }, end: { date: '2027-01-16' } },
  ];
  for (const event of events) sandbox.putEvent(ADA, event, 'primary', 'all');
}
