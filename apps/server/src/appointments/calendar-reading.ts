import type { Bot } from '@calhook/contract';
import type { AccessTokens } from '../connections/access-tokens.ts';
import type { Connection } from '../connections/connection.ts';
import type { Transaction } from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import type { Mirror } from '../sync/mirror.ts';
import { googleRefusal, mayPass } from './refusals.ts';

/** How long a booking waits for a look at the calendar, in milliseconds (design §6). */
const readingBudgetMs = 2_500;
/** How long it waits for an access token before that: another process may be refreshing it. */
const tokenBudgetMs = 5_000;
/** Slots are offered from a copy of the calendar up to this old, in milliseconds. */
const slotsMaxAgeMs = 60_000;

/** How fresh an answer's view of the owner's calendar is. */
export interface Reading {
  readonly source: 'mirror' | 'google';
  /** Epoch milliseconds of the last look at the calendar. */
  readonly checkedAt: number;
}

/** Looks at the calendars of an owner, so that nothing is called free that nobody has looked at. */
export class CalendarReading {
  readonly #mirror: Mirror;
  readonly #accessTokens: AccessTokens;
  readonly #tokenBudgetMs: number;

  /** @param budgetMs what a request may spend on Google in all, in milliseconds */
  constructor(mirror: Mirror, accessTokens: AccessTokens, budgetMs: number) {
    this.#mirror = mirror;
    this.#accessTokens = accessTokens;
    this.#tokenBudgetMs = Math.min(tokenBudgetMs, budgetMs);
  }

  /**
   * Reads anew every calendar that blocks the bot.
   *
   * @param until how far ahead, in epoch milliseconds
   * @returns false when one cannot be read just now, and the bot takes bookings all the same
   * @throws {ApiError} `calendar_unreachable` and the like: a calendar that cannot be read is not free
   */
  async forBooking(bot: Bot, connection: Connection, until: number): Promise<boolean> {
    const wish = { budgetMs: readingBudgetMs, until };
    try {
      await this.#accessTokens.ready(connection, this.#tokenBudgetMs);
      if (bot.busyCalendars.length === 0) await this.#mirror.pull(connection, wish);
      else {
        const all = connectionsOf(bot, connection);
        await Promise.all(all.map((one) => this.#mirror.pull(one, wish)));
      }
      return true;
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (bot.acceptPending && mayPass(error)) return false;
      throw googleRefusal(error);
    }
  }

  /**
   * Makes sure that the copies of the calendars are fresh enough to offer slots from.
   *
   * @throws {ApiError} as {@link forBooking}
   */
  async forSlots(bot: Bot, connection: Connection, until: number): Promise<Reading> {
    const wish = { budgetMs: readingBudgetMs, maxAgeMs: slotsMaxAgeMs, until };
    try {
      const readings = await Promise.all(
        connectionsOf(bot, connection).map((one) => this.#mirror.ensureFresh(one, wish)),
      );
      return {
        source: readings.some(({ source }) => source === 'google') ? 'google' : 'mirror',
        checkedAt: Math.min(...readings.map(({ checkedAt }) => checkedAt)),
      };
    } catch (error) {
      throw error instanceof GoogleError ? googleRefusal(error) : error;
    }
  }

  /** Until when slots may be offered from what was read, in epoch milliseconds. */
  validUntil({ checkedAt }: Reading): number {
    return checkedAt + slotsMaxAgeMs;
  }

  /** Whether an event of the owner overlaps a span, as it stands inside a transaction. */
  busyInTransaction(
    tx: Transaction,
    calendar: string,
    from: number,
    to: number,
    exceptEventId?: string,
  ): Promise<boolean> {
    return this.#mirror.busyInTransaction(tx, calendar, from, to, exceptEventId);
  }
}

/** The connection, once for each calendar that blocks the bot. */
export function connectionsOf(bot: Bot, connection: Connection): Connection[] {
  return [connection, ...bot.busyCalendars.map((calendarId) => ({ ...connection, calendarId }))];
}
