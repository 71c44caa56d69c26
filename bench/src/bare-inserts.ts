import type { Pool } from 'undici';
import { newId } from '../../apps/server/src/identifiers.ts';
import { type BookableSlot, slots } from './bookings.ts';
import { median } from './processes.ts';

/** Where an event is inserted so that its guest is invited. */
export const insertPath =
  '/calendar/v3/calendars/primary/events?sendUpdates=all&conferenceDataVersion=1';

/** The event that Calhook would insert, field by field. */
export function eventAt({ start, end }: Pick<BookableSlot, 'start' | 'end'>, id: string): object {
  return {
    id,
    summary: 'Alan Turing',
    description:
      'Name: Alan Turing\nE-mail: alan@example.org\nPhone: +44 20 7946 0000\n\nThe front wheel squeaks.',
    start: { dateTime: start, timeZone: 'UTC' },
    end: { dateTime: end, timeZone: 'UTC' },
    attendees: [{ email: 'alan@example.org', displayName: 'Alan Turing' }],
    reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1_440 }] },
    guestsCanInviteOthers: false,
    guestsCanModify: false,
    extendedProperties: {
      private: { calhookAppointmentId: `apt-${id}`, calhookBotId: 'bot-bench' },
    },
  };
}

// On a quiet machine there are more inserts than slots.
const bareSlots = slots({ again: true });

/** Inserts events with undici and nothing else, so many at once for so many milliseconds. */
export async function bareInserts(
  pool: Pool,
  accessToken: string,
  concurrency: number,
  forMs: number,
): Promise<{ rate: number; medianMs: number }> {
  const times: number[] = [];
  const from = performance.now();
  const until = from + forMs;
  const one = async () => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const response = await pool.request({
        method: 'POST',
        path: insertPath,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(eventAt(bareSlots.next().value, newId(Date.now()))),
      });
      const answer = JSON.parse(await response.body.text());
      if (response.statusCode !== 200)
        throw new Error(`insert: ${response.statusCode} ${JSON.stringify(answer)}`);
      times.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { rate: (times.length * 1_000) / (performance.now() - from), medianMs: median(times) };
}
