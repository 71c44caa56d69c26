import type { Bot, CreateEvent, EventCreated } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import type { Bots } from '../bots/bots.ts';
import { type Connection, calendarKey } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import {
  type AppointmentsTable,
  type Database,
  isUniqueViolation,
  type Transaction,
} from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import { newId } from '../identifiers.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { Logger } from '../logger.ts';
import type { AppointmentAnswers } from './answers.ts';
import { type BookingRequest, readBookingRequest } from './booking-request.ts';
import type { CalendarReading } from './calendar-reading.ts';
import { claimsChanged, deleteHold, findHold, insertClaim, sweepHolds } from './claim-store.ts';
import type { ClaimTurns } from './claim-turns.ts';
import { claimedSpan, requireFree, requireUnclaimed, whyNotFree } from './claiming.ts';
import { appointmentIdOf } from './event.ts';
import { type EventWriter, eventJob, jobGraceMs } from './event-writer.ts';
import { findByMark, type IdempotencyKey, markOf, type RequestMark } from './idempotency.ts';
import { reached } from './milestones.ts';
import type { Openings } from './openings.ts';
import { googleRefusal, mayPass } from './refusals.ts';
import { findByNaturalKey, insertAppointment, insertIdempotencyKey } from './store.ts';

export interface BookingParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly reading: CalendarReading;
  readonly openings: Openings;
  readonly turns: ClaimTurns;
  readonly writer: EventWriter;
  readonly answers: AppointmentAnswers;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** A request, read and placed in time, and all that it is decided by. */
interface Wish {
  readonly bot: Bot;
  readonly request: BookingRequest;
  readonly mark: RequestMark | null;
  readonly holdId: string | null;
}

/**
 * Booking an appointment: stored first, in Google second (design §6, Book).
 *
 * The row, its claim of the calendar, its job and the event share one id, so whatever is lost on
 * the way (an answer of Google, this process, the caller's patience) is mended by the job, or by
 * making the same call again.
 */
export class Booking {
  readonly #parts: BookingParts;

  constructor(parts: BookingParts) {
    this.#parts = parts;
  }

  /**
   * Books, or finds that the same booking was made before.
   *
   * @throws {ApiError} for every reason that it could not be booked
   */
  async book(
    botId: string,
    body: CreateEvent,
    idempotency: IdempotencyKey | null,
  ): Promise<{ answer: EventCreated; status: 200 | 201 | 202 }> {
    const bot = await this.#parts.bots.get(botId);
    const mark = idempotency && markOf(botId, body, idempotency);
    const marked = mark && (await findByMark(this.#parts.database, mark));
    if (marked) return this.#answer(marked, true);
    const request = readBookingRequest(body, bot);
    const wish: Wish = { bot, request, mark, holdId: body.holdId ?? null };
    const standing = await this.#standing(wish);
    if (standing) return this.#answer(standing, true);
    const stored = await this.#store(wish);
    return this.#answer(stored.appointment, stored.replayed);
  }

  async #standing({ bot, request }: Wish): Promise<AppointmentsTable | undefined> {
    const { email, startsAt } = request;
    return findByNaturalKey(this.#parts.database, { botId: bot.id, email, startsAt });
  }

  /** Brings what is pending into Google, and answers with what is then. */
  async #answer(
    appointment: AppointmentsTable,
    replayed: boolean,
  ): Promise<{ answer: EventCreated; status: 200 | 201 | 202 }> {
    const settled =
      appointment.status === 'pending' ? await this.#settle(appointment, replayed) : appointment;
    reached('answering', appointment.id);
    const pending = settled.status === 'pending';
    return {
      answer: this.#parts.answers.created(settled, replayed),
      status: pending ? 202 : replayed ? 200 : 201,
    };
  }

  async #settle(appointment: AppointmentsTable, replayed: boolean): Promise<AppointmentsTable> {
    const { writer, log } = this.#parts;
    if (appointment.unverified === 1) return appointment;
    try {
      // One that was found may have been confirmed since it was read, and must not be sent again.
      const written = replayed
        ? await writer.write(appointment.id)
        : await writer.writeNew(appointment);
      return written ?? appointment;
    } catch (error) {
      if (!(error instanceof GoogleError) && !(error instanceof ApiError)) throw error;
      log.warn(
        { err: error, botId: appointment.client_id, appointmentId: appointment.id },
        'event not inserted',
      );
      // What was acknowledged before is not taken back for what the owner can mend.
      if (error instanceof GoogleError ? mayPass(error) : replayed) return appointment;
      await writer.fail(appointment, error instanceof GoogleError ? error.reason : error.code);
      throw error instanceof GoogleError ? googleRefusal(error) : error;
    }
  }

  /** Stores the appointment and claims its span, or finds the one that stands. */
  async #store(wish: Wish): Promise<{ appointment: AppointmentsTable; replayed: boolean }> {
    const { bot, request } = wish;
    const { database, connections, openings, reading, turns } = this.#parts;
    const connection = await connections.requireUsable(bot.id);
    const noticeNow = await this.#noticeNow(wish, connection);
    await openings.requireByRules(bot, connection, request, noticeNow);
    const span = claimedSpan(bot, request.startsAt, request.endsAt);
    const verified = await reading.forBooking(bot, connection, span.ends_at);
    reached('calendar-read', bot.id);
    const appointment = this.#newAppointment(wish, connection, verified);
    let held = false;
    try {
      const { calendar } = appointment;
      const { startsAt, endsAt } = request;
      const store = async (tx: Transaction) => {
        await sweepHolds(tx, calendar, appointment.created_at);
        held = wish.holdId !== null && (await deleteHold(tx, bot.id, wish.holdId)) !== null;
        await this.#claim(tx, wish, appointment);
        const claim = { bot, connection, calendar, startsAt, endsAt, verified };
        await requireFree(tx, this.#parts, claim);
      };
      // Who brings a hold learns in the transaction whether it lives.
      const look =
        wish.holdId === null
          ? () => requireUnclaimed(database, calendar, span, appointment.created_at)
          : undefined;
      await turns.run(calendar, store, look);
      claimsChanged(database, appointment.calendar);
      reached('stored', appointment.id);
      return { appointment, replayed: false };
    } catch (error) {
      const unique = isUniqueViolation(error);
      const taken = whyNotFree(error);
      if (!unique && taken === null) throw error;
      // The same request, or the same booking, was made at the same moment.
      const twin =
        (wish.mark && (await findByMark(database, wish.mark))) ?? (await this.#standing(wish));
      if (twin) return { appointment: twin, replayed: true };
      // The one that was in the way has failed since, and its time is free again.
      if (taken === null) return this.#store(wish);
      const code = wish.holdId !== null && !held ? 'hold_expired' : taken;
      throw await openings.refusal(code, bot, connection, request);
    }
  }

  /** Stores the appointment with its claim, its job, and the mark of its request. */
  async #claim(
    tx: Transaction,
    { bot, mark }: Wish,
    appointment: AppointmentsTable,
  ): Promise<void> {
    const { id, calendar, created_at: now } = appointment;
    await insertAppointment(tx, appointment);
    await insertClaim(tx, {
      id,
      calendar,
      client_id: bot.id,
      ...claimedSpan(bot, appointment.starts_at, appointment.ends_at),
      appointment_id: id,
      created_at: now,
      expires_at: null,
    });
    await enqueue(tx, {
      kind: eventJob,
      key: id,
      lane: calendar,
      botId: bot.id,
      dueAt: now + jobGraceMs,
    });
    if (mark) await insertIdempotencyKey(tx, { ...mark, appointment_id: id, created_at: now });
  }

  /** The clock by which notice counts: the hold's, for who held this time. */
  async #noticeNow({ bot, request, holdId }: Wish, connection: Connection): Promise<number> {
    const now = this.#parts.now();
    if (holdId !== null) {
      const hold = await findHold(this.#parts.database.read, calendarKey(connection), holdId);
      const live = hold?.client_id === bot.id && (hold.expires_at ?? 0) > now;
      if (live && hold.booked_start === request.startsAt) return hold.created_at;
    }
    return now;
  }

  #newAppointment(
    { bot, request }: Wish,
    connection: Connection,
    verified: boolean,
  ): AppointmentsTable {
    const now = this.#parts.now();
    return {
      id: appointmentIdOf(newId(now)),
      client_id: bot.id,
      customer_name: request.customerName,
      customer_email: request.email,
      customer_phone: request.phone,
      appointment_date: request.date,
      appointment_time: request.time,
      status: 'pending',
      google_event_id: null,
      created_at: now,
      time_zone: request.timeZone,
      starts_at: request.startsAt,
      ends_at: request.endsAt,
      notes: request.notes,
      answers: JSON.stringify(request.answers),
      calendar: calendarKey(connection),
      event_link: null,
      meet_link: null,
      failure: null,
      updated_at: now,
      language: request.language,
      revision: 1,
      written_revision: 0,
      unverified: verified ? 0 : 1,
      etag: null,
      conflict_since: null,
      cancelled_by: null,
    };
  }
}
