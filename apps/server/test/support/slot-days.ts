import type { SlotInput, SlotRules } from '../../src/availability/slots.ts';

/** A bot that may be booked at any time, on the half hours. */
export const anyTime: SlotRules = {
  timeZone: 'Europe/Berlin',
  weeklyHours: null,
  dateOverrides: [],
  slotStepMinutes: 30,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  minimumNoticeMinutes: 0,
  horizonDays: 365,
  maxPerDay: null,
  maxPerWeek: null,
};

/** Epoch milliseconds of a wall-clock time. */
export const at = (text: string, timeZone = 'UTC') =>
  Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds;

/** Starts as the owner reads them, with the offset where it matters. */
export function shown(starts: readonly number[], timeZone: string): string[] {
  return starts.map((start) =>
    Temporal.Instant.fromEpochMilliseconds(start)
      .toZonedDateTimeISO(timeZone)
      .toString({ timeZoneName: 'never', smallestUnit: 'minute' }),
  );
}

/** Spans as `10:00-10:30` on the tried day. */
function spans(day: string, timeZone: string, texts: readonly string[] = []) {
  return texts.map((text) => {
    const [start = '', end = ''] = text.split('-');
    return { startsAt: at(`${day}T${start}`, timeZone), endsAt: at(`${day}T${end}`, timeZone) };
  });
}

/** The same hours, as `09:00-17:00`, on every weekday. */
export const allWeek = (...ranges: string[]) => {
  const day = ranges.map((range) => {
    const [start = '', end = ''] = range.split('-');
    return { start, end };
  });
  return {
    ...{ monday: day, tuesday: day, wednesday: day, thursday: day, friday: day },
    ...{ saturday: day, sunday: day },
  };
};

export interface DayCase {
  readonly day?: string;
  readonly zone?: string;
  readonly rules?: Partial<SlotRules>;
  readonly minutes?: number;
  readonly busy?: readonly string[];
  readonly claims?: readonly string[];
  readonly now?: string;
}

/** One local day, a Wednesday in June unless said otherwise. */
export function dayOf(tried: DayCase): SlotInput {
  const { day = '2026-06-03', zone = 'Europe/Berlin', minutes = 30 } = tried;
  return {
    rules: { ...anyTime, timeZone: zone, ...tried.rules },
    durationMinutes: minutes,
    from: at(`${day}T00:00`, zone),
    to: Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds,
    now: at(tried.now ?? '2026-01-01T00:00', zone),
    busy: spans(day, zone, tried.busy),
    claims: spans(day, zone, tried.claims),
    bookedStarts: [],
  };
}
