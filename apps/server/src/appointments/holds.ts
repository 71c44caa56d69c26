import type { CreateHold, Hold } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { describeTime, formatDateTime } from '../availability/local-time.ts';
import type { Bots } from '../bots/bots.ts';
import { calendarKey } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import type { Database, Transaction } from '../db/index.ts';
import { couldBeId, newId } from '../identifiers.ts';
import { readWantedTime } from './booking-request.ts';
import type { CalendarReading } from './calendar-reading.ts';
import { claimsChanged, deleteHold, insertClaim, sweepHolds } from './claim-store.ts';
import type { ClaimTurns } from './claim-turns.ts';
import { claimedSpan, requireFree, requireUnclaimed, whyNotFree } from './claiming.ts';
import type { Openings } from './openings.ts';

interface HoldParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly reading: CalendarReading;
  readonly openings: Openings;
  readonly turns: ClaimTurns;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

const defaultHoldMinutes = 5;
const minuteMs = 60_000;

/** Claims with an end, so that a visitor can fill in the form in peace. */
export class Holds {
  readonly #parts: HoldParts;

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  /** @throws {ApiError} for every reason that the time could not be booked */
  async hold(botId: string, body: CreateHold): Promise<Hold> {
    const { database, bots, connections, reading, openings, turns, now } = this.#parts;
    const bot = await bots.get(botId);
    const wanted = readWantedTime(body, bot);
    const { startsAt, endsAt, timeZone } = wanted;
    const connection = await connections.requireUsable(bot.id);
    await openings.requireByRules(bot, connection, wanted, now());
    const span = claimedSpan(bot, startsAt, endsAt);
    const verified = await reading.forBooking(bot, connection, span.ends_at);
    const calendar = calendarKey(connection);
    const at = now();
    const id = `hold-${newId(at)}`;
    const expiresAt = at + (body.holdMinutes ?? defaultHoldMinutes) * minuteMs;
    try {
      const store = async (tx: Transaction) => {
        await sweepHolds(tx, calendar, at);
        await insertClaim(tx, {
          id,
          calendar,
          client_id: bot.id,
          ...span,
          appointment_id: null,
          created_at: at,
          expires_at: expiresAt,
        });
        const claim = { bot, connection, calendar, startsAt, endsAt, verified };
        await requireFree(tx, { reading, openings }, claim);
      };
      await turns.run(calendar, store, () => requireUnclaimed(database, calendar, span, at));
    } catch (error) {
      const code = whyNotFree(error);
      throw code === null ? error : await openings.refusal(code, bot, connection, wanted);
    }
    claimsChanged(database, calendar);
    return {
      holdId: id,
      start: formatDateTime(startsAt, timeZone),
      end: formatDateTime(endsAt, timeZone),
      timeZone,
      when: describeTime(startsAt, timeZone, bot.language),
      expiresAt,
    };
  }

  /** @throws {ApiError} `bot_not_found`, `hold_not_found` */
  async release(botId: string, holdId: string): Promise<void> {
    const { database, bots } = this.#parts;
    await bots.get(botId);
    const calendar = couldBeId(holdId)
      ? await database.transaction((tx) => deleteHold(tx, botId, holdId))
      : null;
    if (calendar === null) throw new ApiError('hold_not_found');
    claimsChanged(database, calendar);
  }
}
