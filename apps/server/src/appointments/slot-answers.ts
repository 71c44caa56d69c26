import type { Bot, Slots, SlotsQuery, UnavailableStart } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { formatDateTime, languageTag, wallClockOf } from '../availability/local-time.ts';
import { explainSlots, findSlots, reachOf, type SlotInput } from '../availability/slots.ts';
import { timeZoneName } from '../availability/time-zones.ts';
import type { Bots } from '../bots/bots.ts';
import type { Connections } from '../connections/connections.ts';
import type { CalendarReading, Reading } from './calendar-reading.ts';
import { calendarsOf, type Openings, requireOffered, toSlot } from './openings.ts';

const dayMs = 86_400_000;
const defaultDays = 7;
const maxDays = 92;

interface SlotAnswerParts {
  readonly bots: Bots;
  readonly connections: Connections;
  readonly reading: CalendarReading;
  readonly openings: Openings;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** An answer, and until when it holds if nothing is changed. */
export interface TimedSlots {
  readonly answer: Slots;
  /** Epoch milliseconds; 0: it must not be kept. */
  readonly holdsUntil: number;
  /** Keys of the calendars that it depends on. */
  readonly calendars: readonly string[];
}

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
  readonly language: string;
  readonly durationMinutes: number;
  /** When the query itself comes to mean another time; null: never. */
  readonly until: number | null;
}

function invalid(reason: string, field: string): ApiError {
  return new ApiError('invalid_request', {
    values: { reason },
    members: { errors: [{ field, message: reason }] },
  });
}

/** Answers the question which starts of a bot may be booked, and why others may not. */
export class SlotAnswers {
  readonly #parts: SlotAnswerParts;

  constructor(parts: SlotAnswerParts) {
    this.#parts = parts;
  }

  /**
   * @param except an appointment whose own span does not count: the one that is to be moved
   * @throws {ApiError} `calendar_unreachable` and the like: a calendar that cannot be read has no
   *   free slots to offer; with `explain` that is the reason of each
   */
  async slots(botId: string, query: SlotsQuery, except?: string): Promise<TimedSlots> {
    const { bots, connections, reading, openings, now } = this.#parts;
    const bot = await bots.get(botId);
    const at = now();
    const asked = read(query, bot, at);
    const connection = await connections.requireUsable(botId);
    const { from, to, durationMinutes } = asked;
    let state: Reading;
    try {
      const { taken } = reachOf({ rules: bot, durationMinutes, now: at }, from, to);
      state = await reading.forSlots(bot, connection, taken.endsAt);
    } catch (error) {
      if (!query.explain || !(error instanceof ApiError) || error.code !== 'calendar_unreachable') {
        throw error;
      }
      return { answer: unreadable(bot, asked, now()), holdsUntil: 0, calendars: [] };
    }
    const { input, holdsUntil } = await openings.input({
      bot,
      connection,
      from,
      to,
      durationMinutes,
      now: at,
      ...(except === undefined ? {} : { except }),
    });
    const found = findSlots(input);
    const answer = {
      timeZone: asked.timeZone,
      slots: found.slots
        .slice(0, query.limit)
        .map((start) => toSlot(start, durationMinutes, asked.timeZone, asked.language)),
      ...state,
      ...(query.explain ? { unavailable: explained(input, found.slots, asked) } : {}),
    };
    const ends = [reading.validUntil(state), asked.until, holdsUntil, found.changesAt];
    return {
      answer,
      // What is explained includes starts that have just passed.
      holdsUntil: query.explain ? 0 : Math.min(...ends.filter((end) => end !== null)),
      calendars: calendarsOf(bot, connection),
    };
  }
}

/** @throws {ApiError} `invalid_request`, `invalid_timezone`, `duration_not_offered` */
function read(query: SlotsQuery, bot: Bot, now: number): Asked {
  const wantedZone = query.timeZone ?? bot.timeZone;
  const timeZone = timeZoneName(wantedZone);
  if (timeZone === null) {
    throw new ApiError('invalid_timezone', { values: { timeZone: wantedZone } });
  }
  const today = Temporal.Instant.fromEpochMilliseconds(now)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate();
  const midnight = today.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds;
  // Starts that are past are not offered anyway; so "from now on" need not follow each tick.
  const from = query.from === undefined ? now : instantOf(query.from, timeZone, 'from');
  const to =
    query.to === undefined ? endAfter(from, timeZone) : instantOf(query.to, timeZone, 'to');
  if (to < from) throw invalid('to is before from', 'to');
  if (to - from > (maxDays + 1) * dayMs) {
    throw invalid(`to is more than ${maxDays} days after from`, 'to');
  }
  const { durationMinutes = bot.durationMinutes } = query;
  requireOffered(bot, durationMinutes);
  const language = (query.language && languageTag(query.language)) || bot.language;
  const until = query.from === undefined ? midnight : null;
  return { from, to, timeZone, language, durationMinutes, until };
}

/** The end of the day a week later. */
function endAfter(from: number, timeZone: string): number {
  return Temporal.Instant.fromEpochMilliseconds(from)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .add({ days: defaultDays + 1 })
    .toZonedDateTime(timeZone).epochMilliseconds;
}

/** A date is the whole of it: `from` its first instant, `to` the first one after it. */
function instantOf(text: string, timeZone: string, field: 'from' | 'to'): number {
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
      const date = Temporal.PlainDate.from(text, { overflow: 'reject' });
      const day = field === 'to' ? date.add({ days: 1 }) : date;
      return day.toZonedDateTime(timeZone).epochMilliseconds;
    }
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    throw invalid(
      `${field} must be a date such as 2026-12-01 or a date-time with offset such as 2026-12-01T09:00:00+01:00`,
      field,
    );
  }
}

/**
 * Each start of the day that is not offered: those of the rules with their reason, and, so that
 * nobody has to guess why a whole day is missing, those of the same step outside of the hours.
 */
function explained(
  input: SlotInput,
  offered: readonly number[],
  { timeZone }: Asked,
): UnavailableStart[] {
  const reasons = new Map<number, UnavailableStart['reason']>();
  const skipped: UnavailableStart[] = [];
  for (const start of dayGrid(input)) reasons.set(start, 'outside_hours');
  for (const start of offered) reasons.delete(start);
  for (const one of explainSlots(input)) {
    if ('start' in one) {
      reasons.set(one.start, one.reason === 'off_grid' ? 'outside_hours' : one.reason);
    } else {
      const [date = '', time = ''] = one.localTime.split('T');
      skipped.push({ start: null, date, time, reason: one.reason });
    }
  }
  const starts = [...reasons].map(([start, reason]) => ({
    start: formatDateTime(start, timeZone),
    ...wallClockOf(start, timeZone),
    reason,
  }));
  return [...starts, ...skipped].sort((a, b) =>
    `${a.date} ${a.time}`.localeCompare(`${b.date} ${b.time}`),
  );
}

/** Starts at the bot's step from each midnight of its zone, in [from, to). */
function dayGrid({ rules, from, to }: SlotInput): number[] {
  const starts: number[] = [];
  const stepMs = rules.slotStepMinutes * 60_000;
  let day = Temporal.Instant.fromEpochMilliseconds(from)
    .toZonedDateTimeISO(rules.timeZone)
    .startOfDay();
  while (day.epochMilliseconds < to) {
    const next = day.add({ days: 1 }).startOfDay();
    const end = Math.min(next.epochMilliseconds, to);
    for (let start = day.epochMilliseconds; start < end; start += stepMs) {
      if (start >= from) starts.push(start);
    }
    day = next;
  }
  return starts;
}

/** Every start of the rules, with the one reason that none of them is offered. */
function unreadable(bot: Bot, asked: Asked, now: number): Slots {
  const { timeZone, from, to, durationMinutes } = asked;
  const nothing = { busy: [], claims: [], bookedStarts: [] };
  const input: SlotInput = { rules: bot, durationMinutes, from, to, now, ...nothing };
  const unread = new Set(findSlots(input).slots.map((start) => formatDateTime(start, timeZone)));
  const unavailable = explained(input, [], asked).map((one) =>
    one.start !== null && unread.has(one.start)
      ? { ...one, reason: 'calendar_unreachable' as const }
      : one,
  );
  return { timeZone, slots: [], source: 'none', checkedAt: null, unavailable };
}
