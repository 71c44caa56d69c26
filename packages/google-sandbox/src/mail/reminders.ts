import type { Calendar, StoredEvent } from '../calendar/event-record.ts';
import type { World } from '../world.ts';
import { reminderTimes } from './outbox.ts';

/**
 * Mails owners their reminders when the clock gets there (facts §5: reminders reach only the
 * authenticated user). A reminder of an event that was moved or cancelled meanwhile is not sent,
 * nor is one whose time had passed when the event was made.
 */
export function startReminders(world: Pick<World, 'calendars' | 'clock' | 'outbox'>): void {
  const { calendars, clock, outbox } = world;
  calendars.onChange((calendar, event) => {
    if (event.status === 'cancelled') return;
    for (const due of reminderTimes(calendar, event)) {
      if (due > clock.now()) clock.schedule(due, () => remind(calendar, event, due));
    }
  });

  const sent = new Set<string>();
  function remind(calendar: Calendar, event: StoredEvent, due: number): void {
    const isCurrent = calendar.events.get(event.id) === event && event.status !== 'cancelled';
    const key = `${calendar.id} ${event.id} ${due}`;
    if (!isCurrent || sent.has(key) || !reminderTimes(calendar, event).includes(due)) return;
    sent.add(key);
    outbox.tellOwner('reminder', calendar, event);
  }
}
