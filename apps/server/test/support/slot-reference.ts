import { weekdays } from '@calhook/contract';
import type { SlotInput, Span } from '../../src/availability/slots.ts';

const minuteMs = 60_000;

interface MinuteRange {
  readonly start: number;
  readonly end: number;
}

interface LocalDate {
  readonly date: Temporal.PlainDate;
  /** Its hours, in minutes of the day. */
  readonly ranges: readonly MinuteRange[];
}

/** What the clock on the owner's wall shows, and the range of its date that this lies in. */
interface Tick {
  readonly localDate: LocalDate;
  readonly minuteOfDay: number;
  readonly range: MinuteRange | undefined;
}

/**
 * Slots by the rules as people say them, tick by tick, with a `Temporal` object for each; slow, and
 * without any idea that `findSlots` uses. All times of the input must be whole ticks.
 */
export class SlotReference {
  readonly #input: SlotInput;
  readonly #tickMs: number;
  readonly #ticks = new Map<number, Tick>();
  readonly #dates = new Map<string, LocalDate>();

  constructor(input: SlotInput, tickMinutes: number) {
    this.#input = input;
    this.#tickMs = tickMinutes * minuteMs;
  }

  slots(): number[] {
    const found: number[] = [];
    for (let start = this.#input.from; start < this.#input.to; start += this.#tickMs) {
      if (this.#isOffered(start)) found.push(start);
    }
    return found;
  }

  #at(epochMs: number): Tick {
    let tick = this.#ticks.get(epochMs);
    if (!tick) {
      const wall = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(
        this.#input.rules.timeZone,
      );
      const minuteOfDay = wall.hour * 60 + wall.minute;
      const localDate = this.#on(wall);
      const range = localDate.ranges.find(
        ({ start, end }) => start <= minuteOfDay && minuteOfDay < end,
      );
      tick = { localDate, minuteOfDay, range };
      this.#ticks.set(epochMs, tick);
    }
    return tick;
  }

  #on(wall: Temporal.ZonedDateTime): LocalDate {
    const name = `${wall.year}-${wall.month}-${wall.day}`;
    let localDate = this.#dates.get(name);
    if (!localDate) {
      const date = wall.toPlainDate();
      const { weeklyHours, dateOverrides } = this.#input.rules;
      const weekday = weekdays[date.dayOfWeek - 1] as (typeof weekdays)[number];
      const ranges =
        dateOverrides.find((override) => date.equals(override.date))?.ranges ??
        (weeklyHours ? (weeklyHours[weekday] ?? []) : [{ start: '00:00', end: '24:00' }]);
      localDate = {
        date,
        ranges: ranges.map(({ start, end }) => ({ start: minutes(start), end: minutes(end) })),
      };
      this.#dates.set(name, localDate);
    }
    return localDate;
  }

  #isOffered(start: number): boolean {
    const { rules, now, durationMinutes, busy, claims } = this.#input;
    const { range, minuteOfDay, localDate } = this.#at(start);
    if (!range || (minuteOfDay - range.start) % rules.slotStepMinutes !== 0) return false;

    const end = start + durationMinutes * minuteMs;
    for (let at = start; at < end; at += this.#tickMs) if (!this.#at(at).range) return false;

    const takenFrom = start - rules.bufferBeforeMinutes * minuteMs;
    const takenUntil = end + rules.bufferAfterMinutes * minuteMs;
    for (let at = takenFrom; at < takenUntil; at += this.#tickMs) {
      if (contains(busy, at) || contains(claims, at)) return false;
    }

    if (start - now < rules.minimumNoticeMinutes * minuteMs) return false;
    const { date } = localDate;
    const lastDate = this.#at(now).localDate.date.add({ days: rules.horizonDays });
    if (Temporal.PlainDate.compare(date, lastDate) > 0) return false;

    const { maxPerDay, maxPerWeek } = rules;
    const booked = this.#input.bookedStarts.map((other) => this.#at(other).localDate.date);
    const onTheDay = () => booked.filter((other) => other.equals(date)).length;
    const inTheWeek = () => booked.filter((other) => weekOf(other) === weekOf(date)).length;
    if (maxPerDay !== null && onTheDay() >= maxPerDay) return false;
    return maxPerWeek === null || inTheWeek() < maxPerWeek;
  }
}

function minutes(clock: string): number {
  const [hour, minute] = clock.split(':').map(Number) as [number, number];
  return hour * 60 + minute;
}

function contains(spans: readonly Span[], at: number): boolean {
  return spans.some(({ startsAt, endsAt }) => startsAt <= at && at < endsAt);
}

function weekOf(date: Temporal.PlainDate): string {
  return `${date.yearOfWeek}-W${date.weekOfYear}`;
}
