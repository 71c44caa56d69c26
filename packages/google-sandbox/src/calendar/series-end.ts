import type { Calendar, StoredEvent } from './event-record.ts';
import { momentMs } from './moments.ts';
import { occurrences } from './recurrence.ts';
import { isSeries, shapeOf } from './series.ts';

/** Epoch ms at which the last occurrence ends; infinity for series that go on for long. */
export function endsForGood(calendar: Calendar, event: StoredEvent): number {
  if (!isSeries(event)) return momentMs(event.end, calendar.timeZone);
  const isEndless = (event.content.recurrence ?? []).some(
    (line) => /^RRULE/i.test(line) && !/;?(COUNT|UNTIL)=/i.test(line),
  );
  if (isEndless) return Number.POSITIVE_INFINITY;
  let last = 0;
  const everything = {
    endsAfter: Number.NEGATIVE_INFINITY,
    startsBefore: Number.POSITIVE_INFINITY,
  };
  for (const occurrence of occurrences(shapeOf(event), calendar.timeZone, everything)) {
    last = Math.max(last, momentMs(occurrence.end, calendar.timeZone));
  }
  return last;
}
