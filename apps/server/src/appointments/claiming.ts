import type { Bot } from '@calhook/contract';
import type { Connection } from '../connections/connection.ts';
import {
  type AppointmentsTable,
  type ClaimsTable,
  type Database,
  isOverlapViolation,
  type Transaction,
} from '../db/index.ts';
import type { CalendarReading } from './calendar-reading.ts';
import { claimsBetween, insertClaim, moveClaim } from './claim-store.ts';
import { calendarsOf, type Openings } from './openings.ts';

const minuteMs = 60_000;

/** Thrown where time is claimed, inside a transaction to undo it: the time is not free. */
class NotFree extends Error {
  override readonly name = 'NotFree';
  readonly code: 'slot_unavailable' | 'limit_reached';
  constructor(code: 'slot_unavailable' | 'limit_reached') {
    super(code);
    this.code = code;
  }
}

/** Why a claim failed, as a code of the catalogue; null when the error is about something else. */
export function whyNotFree(error: unknown): 'slot_unavailable' | 'limit_reached' | null {
  if (error instanceof NotFree) return error.code;
  return isOverlapViolation(error) ? 'slot_unavailable' : null;
}

/** The span that an appointment takes of a calendar: itself and the buffers of its bot. */
export function claimedSpan(
  bot: Bot,
  startsAt: number,
  endsAt: number,
): Pick<ClaimsTable, 'starts_at' | 'ends_at' | 'booked_start' | 'booked_end'> {
  return {
    starts_at: startsAt - bot.bufferBeforeMinutes * minuteMs,
    ends_at: endsAt + bot.bufferAfterMinutes * minuteMs,
    booked_start: startsAt,
    booked_end: endsAt,
  };
}

/**
 * Claims the span of an appointment in the place of the one that it has, if it has one: who was
 * moved by the owner onto another claim has none.
 *
 * @throws an overlap violation when the span is taken
 */
export async function claimAnew(
  tx: Transaction,
  bot: Bot,
  appointment: Pick<
    AppointmentsTable,
    'id' | 'calendar' | 'client_id' | 'created_at' | 'starts_at' | 'ends_at'
  >,
): Promise<void> {
  const { id, calendar, client_id, created_at, starts_at, ends_at } = appointment;
  const span = claimedSpan(bot, starts_at, ends_at);
  if (await moveClaim(tx, id, span)) return;
  const claim = { id, calendar, client_id, created_at, ...span };
  await insertClaim(tx, { ...claim, appointment_id: id, expires_at: null });
}

/**
 * Refuses a span that is taken by now, so that no transaction has to find out.
 *
 * @throws {@link whyNotFree} tells why
 */
export async function requireUnclaimed(
  database: Database,
  calendar: string,
  span: Pick<ClaimsTable, 'starts_at' | 'ends_at'>,
  now: number,
): Promise<void> {
  const { starts_at: from, ends_at: to } = span;
  const claims = await claimsBetween(database.read, calendar, from, to, now);
  if (claims.length > 0) throw new NotFree('slot_unavailable');
}

/**
 * Checks what the guard of the database cannot, once a span has been claimed in the transaction:
 * the owner's own events, and the limits of the bot. Claims of one calendar come one after
 * another, so what is seen here is what will be committed.
 *
 * @throws undoing the transaction; {@link whyNotFree} tells why
 */
export async function requireFree(
  tx: Transaction,
  parts: { readonly reading: CalendarReading; readonly openings: Openings },
  claim: {
    readonly bot: Bot;
    readonly connection: Connection;
    readonly calendar: string;
    readonly startsAt: number;
    readonly endsAt: number;
    /** Whether the owner's calendars were read for it. */
    readonly verified: boolean;
    /** An event that is in nobody's way: that of the appointment that is moved. */
    readonly exceptEventId?: string;
  },
): Promise<void> {
  const { bot, connection, calendar, startsAt, endsAt, verified, exceptEventId } = claim;
  if (verified) {
    const { starts_at: from, ends_at: to } = claimedSpan(bot, startsAt, endsAt);
    for (const key of calendarsOf(bot, connection)) {
      if (await parts.reading.busyInTransaction(tx, key, from, to, exceptEventId)) {
        throw new NotFree('slot_unavailable');
      }
    }
  }
  if (await parts.openings.exceedsLimits(tx, bot, calendar, startsAt)) {
    throw new NotFree('limit_reached');
  }
}
