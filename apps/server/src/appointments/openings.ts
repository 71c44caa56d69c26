import type { Bot, ErrorCode, Slot } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { describeChoice, describeTime, formatDateTime } from '../availability/local-time.ts';
import {
  findSlots,
  horizonEndOf,
  reachOf,
  refusalOf,
  type SlotInput,
  type SlotRefusal,
} from '../availability/slots.ts';
import type { Connection } from '../connections/connection.ts';
import { calendarKey } from '../connections/connection.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { Mirror } from '../sync/mirror.ts';
import type { WantedTime } from './booking-request.ts';
import type { CalendarReading } from './calendar-reading.ts';
import { claimsBetween } from './claim-store.ts';
import { eventIdOf } from './event.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Where other times are looked for around the one that is not to be had. */
const alternativesBeforeMs = 3 * dayMs;
const alternativesAfterMs = 14 * dayMs;
const maxAlternatives = 3;
/** A slot that was shown just before its notice was over may still be booked, in milliseconds. */
const noticeGraceMs = 5 * minuteMs;

const codes: Readonly<Record<SlotRefusal, ErrorCode>> = {
  busy: 'slot_unavailable',
  buffer: 'slot_unavailable',
  claim: 'slot_unavailable',
  notice: 'min_notice',
  horizon: 'too_far_ahead',
  limit: 'limit_reached',
  outside_hours: 'outside_hours',
  off_grid: 'off_grid',
};

/** What is asked of a bot's time. */
export interface OpeningsQuery {
  readonly bot: Bot;
  readonly connection: Connection;
  /** Epoch milliseconds; starts in [from, to). */
  readonly from: number;
  readonly to: number;
  readonly durationMinutes: number;
  /** The clock by which notice and horizon count, in epoch milliseconds. */
  readonly now: number;
  /** An appointment whose own span does not count: the one that is to be moved. */
  readonly except?: string;
}

interface OpeningsParts {
  readonly database: Database;
  readonly mirror: Mirror;
  readonly reading: CalendarReading;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Where the rules of a bot, the claims of its calendar and the owner's own events meet: what may
 * be booked, and why something may not.
 */
export class Openings {
  readonly #parts: OpeningsParts;

  constructor(parts: OpeningsParts) {
    this.#parts = parts;
  }

  /**
   * All that the slot engine needs to know of a bot's time, from what is stored here, and the
   * first instant at which that changes by itself: the end of a hold.
   */
  async input(query: OpeningsQuery): Promise<{ input: SlotInput; holdsUntil: number | null }> {
    const { bot, connection, from, to, durationMinutes, now, except } = query;
    const { taken, counted } = reachOf({ rules: bot, durationMinutes, now }, from, to);
    const claims = await claimsBetween(
      this.#parts.database.read,
      calendarKey(connection),
      Math.min(taken.startsAt, counted.startsAt),
      Math.max(taken.endsAt, counted.endsAt),
      this.#parts.now(),
    );
    const others = claims.filter(({ id }) => id !== except);
    const exceptEventId = except === undefined ? null : eventIdOf(except);
    const busy = await Promise.all(
      calendarsOf(bot, connection).map((key) =>
        this.#parts.mirror.busy(key, taken.startsAt, taken.endsAt),
      ),
    );
    const ends = others.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt]));
    return {
      input: {
        rules: bot,
        durationMinutes,
        from,
        to,
        now,
        busy: busy.flat().filter(({ eventId }) => eventId !== exceptEventId),
        claims: others,
        bookedStarts: others.filter(({ botId }) => botId === bot.id).map((c) => c.bookedStart),
      },
      holdsUntil: ends.length > 0 ? Math.min(...ends) : null,
    };
  }

  /**
   * Refuses a time that the rules alone do not allow, before anybody is asked.
   *
   * @param noticeNow the clock by which notice counts: earlier than now for who held the time
   * @throws {ApiError} with alternatives where there may be some
   */
  async requireByRules(
    bot: Bot,
    connection: Connection | null,
    wanted: WantedTime,
    noticeNow: number,
    except?: string,
  ): Promise<void> {
    const { startsAt, date, time, durationMinutes } = wanted;
    if (startsAt <= this.#parts.now()) {
      throw new ApiError('time_in_past', { values: { date, time } });
    }
    requireOffered(bot, durationMinutes);
    const nothing = { busy: [], claims: [], bookedStarts: [] };
    const known = { rules: bot, durationMinutes, now: noticeNow, ...nothing };
    const refusal = refusalOf(known, startsAt, { noticeGraceMs });
    if (refusal) throw await this.refusal(codes[refusal], bot, connection, wanted, except);
  }

  /**
   * Whether the limits of a bot are exceeded by what is claimed now, the new claim included.
   * Claims of one calendar come one after another, so nobody slips in between.
   */
  async exceedsLimits(
    tx: Transaction,
    bot: Bot,
    calendar: string,
    startsAt: number,
  ): Promise<boolean> {
    const { maxPerDay, maxPerWeek } = bot;
    if (maxPerDay === null && maxPerWeek === null) return false;
    const day = Temporal.Instant.fromEpochMilliseconds(startsAt)
      .toZonedDateTimeISO(bot.timeZone)
      .startOfDay();
    const monday = day.subtract({ days: day.dayOfWeek - 1 }).startOfDay();
    const week: readonly [number, number] = [
      monday.epochMilliseconds,
      monday.add({ days: 7 }).startOfDay().epochMilliseconds,
    ];
    const claims = await claimsBetween(tx, calendar, week[0], week[1], this.#parts.now());
    const starts = claims
      .filter(({ botId }) => botId === bot.id)
      .map(({ bookedStart }) => bookedStart);
    const within = (from: number, to: number) =>
      starts.filter((start) => start >= from && start < to).length;
    const nextDay = day.add({ days: 1 }).startOfDay().epochMilliseconds;
    return (
      (maxPerWeek !== null && within(...week) > maxPerWeek) ||
      (maxPerDay !== null && within(day.epochMilliseconds, nextDay) > maxPerDay)
    );
  }

  /** The refusal of a wanted time, with up to three others nearby. */
  async refusal(
    code: ErrorCode,
    bot: Bot,
    connection: Connection | null,
    wanted: WantedTime,
    except?: string,
  ): Promise<ApiError> {
    const { language, startsAt, timeZone, durationMinutes, date, time } = wanted;
    const alternatives = connection
      ? await this.#nearest(bot, connection, startsAt, durationMinutes, except)
      : [];
    const slots = alternatives.map((start) => toSlot(start, durationMinutes, timeZone, language));
    return new ApiError(code, {
      values: {
        date,
        time,
        when: describeTime(startsAt, timeZone, language),
        alternatives: sentenceOf(slots, language),
      },
      members: { alternatives: slots },
    });
  }

  async #nearest(
    bot: Bot,
    connection: Connection,
    startsAt: number,
    durationMinutes: number,
    except: string | undefined,
  ): Promise<number[]> {
    const now = this.#parts.now();
    // Of a time beyond the horizon, the last ones before it are nearest.
    const around = Math.min(startsAt, horizonEndOf(bot, now));
    const from = Math.max(now, around - alternativesBeforeMs);
    const to = Math.max(from, around) + alternativesAfterMs;
    const query = { bot, connection, from, to, durationMinutes, now };
    let slots: number[];
    try {
      const { taken } = reachOf({ rules: bot, durationMinutes, now }, from, to);
      await this.#parts.reading.forSlots(bot, connection, taken.endsAt);
      const { input } = await this.input(except === undefined ? query : { ...query, except });
      ({ slots } = findSlots(input));
    } catch (error) {
      // The refusal stands without them.
      if (error instanceof ApiError) return [];
      throw error;
    }
    return nearestTo(slots, startsAt, maxAlternatives);
  }
}

/** Those of ascending instants that are nearest to one, `count` at the most, in their order. */
function nearestTo(instants: readonly number[], wanted: number, count: number): number[] {
  const after = instants.findIndex((instant) => instant >= wanted);
  let from = after < 0 ? instants.length : after;
  let to = from;
  while (to - from < count && to - from < instants.length) {
    const gapBefore = wanted - (instants[from - 1] ?? Number.NEGATIVE_INFINITY);
    const gapAfter = (instants[to] ?? Number.POSITIVE_INFINITY) - wanted;
    if (gapBefore <= gapAfter) from--;
    else to++;
  }
  return instants.slice(from, to);
}

/** @throws {ApiError} `duration_not_offered` when the bot lists the lengths that may be booked */
export function requireOffered(bot: Bot, durationMinutes: number): void {
  const further = bot.durationsMinutes;
  if (further && ![bot.durationMinutes, ...further].includes(durationMinutes)) {
    throw new ApiError('duration_not_offered', { values: { durationMinutes } });
  }
}

/** The keys of all calendars whose events block a bot: the one that it books into comes first. */
export function calendarsOf(bot: Bot, connection: Connection): string[] {
  return [
    calendarKey(connection),
    ...bot.busyCalendars.map((calendarId) => calendarKey({ ...connection, calendarId })),
  ];
}

/** A start as slots and alternatives show it. */
export function toSlot(
  start: number,
  durationMinutes: number,
  timeZone: string,
  language: string,
): Slot {
  const startText = formatDateTime(start, timeZone);
  return {
    start: startText,
    end: formatDateTime(start + durationMinutes * minuteMs, timeZone),
    date: startText.slice(0, 10),
    time: startText.slice(11, 16),
    label: describeTime(start, timeZone, language),
  };
}

function sentenceOf(slots: readonly Slot[], language: string): string {
  if (slots.length === 0) return ' Would another time suit you?';
  const labels = slots.map(({ label }) => label);
  return ` Would one of these suit you: ${describeChoice(labels, language)}?`;
}
