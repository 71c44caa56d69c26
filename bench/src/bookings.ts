import { apiKey } from './server-process.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** How far ahead the slots go; the calendar is mirrored that far before anything is measured. */
const aheadDays = 700;

/** As short as an appointment may be, so that there are 201,000 slots; bookable at any hour. */
const slotMinutes = 5;
export const anyHour = {
  timeZone: 'UTC',
  durationMinutes: slotMinutes,
  slotStepMinutes: slotMinutes,
  weeklyHours: null,
  horizonDays: 730,
};

/** A start, and an end, in UTC. */
export interface BookableSlot {
  /** YYYY-MM-DD */
  readonly date: string;
  /** HH:mm */
  readonly time: string;
  /** RFC 3339. */
  readonly start: string;
  readonly end: string;
}

function slotAt(startsAt: number): BookableSlot {
  const start = new Date(startsAt).toISOString();
  const end = new Date(startsAt + slotMinutes * minuteMs).toISOString();
  return { date: start.slice(0, 10), time: start.slice(11, 16), start, end };
}

const firstDay = () => Math.ceil(Date.now() / dayMs) * dayMs + dayMs;

/** The last slot: who books it has the calendar mirrored as far as the others go. */
export function lastSlot(): BookableSlot {
  return slotAt(firstDay() + aheadDays * dayMs);
}

/**
 * Slots one after another, from the day after tomorrow, so that no two bookings meet.
 *
 * @param again whether to begin again after the last, for a calendar in which events may overlap
 */
export function* slots({ again = false } = {}): Generator<BookableSlot, never> {
  const from = firstDay();
  const until = from + aheadDays * dayMs;
  do {
    for (let at = from; at < until; at += slotMinutes * minuteMs) yield slotAt(at);
  } while (again);
  throw new Error('all slots are booked');
}

/** The body of a request that books. */
export function bookingOf({ date, time }: BookableSlot, email = 'alan@example.org'): object {
  return {
    customerName: 'Alan Turing',
    email,
    phone: '+44 20 7946 0000',
    date,
    time,
    notes: 'The front wheel squeaks.',
  };
}

/** A request that books, as it goes onto the wire. */
export function bookingRequest(botId: string, booking: object): Buffer {
  const body = JSON.stringify(booking);
  return Buffer.from(
    `POST /api/calendar/create-event/${botId} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}
