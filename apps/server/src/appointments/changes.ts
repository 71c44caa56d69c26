import type { Bot, RescheduleEvent } from '@calhook/contract';
import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { describeTime } from '../availability/local-time.ts';
import type { Bots } from '../bots/bots.ts';
import { calendarKey } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import { type AppointmentsTable, type Database, isUniqueViolation } from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { Logger } from '../logger.ts';
import { getAppointment } from './appointments.ts';
import { readWantedTime, type WantedTime } from './booking-request.ts';
import type { CalendarReading } from './calendar-reading.ts';
import { claimsChanged, deleteClaim, sweepHolds } from './claim-store.ts';
import type { ClaimTurns } from './claim-turns.ts';
import { claimAnew, claimedSpan, requireFree, whyNotFree } from './claiming.ts';
import type { Conflicts } from './conflicts.ts';
import { ownEventId } from './event.ts';
import { type EventWriter, eventJob, jobGraceMs } from './event-writer.ts';
import { reached } from './milestones.ts';
import type { Openings } from './openings.ts';
import { changeAppointment } from './store.ts';

interface ChangeParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly reading: CalendarReading;
  readonly openings: Openings;
  readonly turns: ClaimTurns;
  readonly writer: EventWriter;
  readonly conflicts: Conflicts;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** Who asks for a change. */
export type ChangedBy = 'customer' | 'api';

/** Cancelling and moving appointments: stored first, in Google second, as bookings are. */
export class Changes {
  readonly #parts: ChangeParts;

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  /**
   * Cancels an appointment and frees its time at once; cancelling it again changes nothing.
   *
   * @throws {ApiError} `appointment_not_found`, `appointment_not_active` when it is over
   */
  async cancel(botId: string, id: string, by: ChangedBy): Promise<AppointmentsTable> {
    const { database, conflicts, now } = this.#parts;
    const appointment = await getAppointment(database, botId, id);
    if (appointment.status === 'cancelled') return appointment;
    const at = now();
    if (appointment.status === 'failed' || appointment.ends_at <= at) throw notActive(appointment);
    const change = {
      status: 'cancelled' as const,
      cancelled_by: by,
      revision: appointment.revision + 1,
      conflict_since: null,
      updated_at: at,
    };
    const { calendar } = appointment;
    const changed = await database.transaction(async (tx) => {
      await tx.lock(calendar);
      if (!(await changeAppointment(tx, appointment, change))) return false;
      await deleteClaim(tx, id);
      await conflicts.review(tx, calendar);
      await this.#enqueue(tx, appointment, at);
      await recordActivity(tx, {
        at,
        botId,
        kind: 'appointment.cancelled',
        subjectId: id,
        detail: { by },
      });
      return true;
    });
    // Confirmed or moved at the same moment: what it is now is what is cancelled.
    if (!changed) return this.cancel(botId, id, by);
    claimsChanged(database, calendar);
    reached('stored', id);
    return this.#write({ ...appointment, ...change });
  }

  /**
   * Moves an appointment; its old time is free only when the new one is taken.
   *
   * @throws {ApiError} `appointment_not_found`, `appointment_not_active`, `appointment_changing`,
   *   `already_booked_by_customer`, and every reason that the new time could not be booked
   */
  async reschedule(
    botId: string,
    id: string,
    body: RescheduleEvent,
    by: ChangedBy,
  ): Promise<AppointmentsTable> {
    const { database, bots, connections, reading, openings, turns, conflicts, now } = this.#parts;
    const bot = await bots.get(botId);
    const appointment = await getAppointment(database, botId, id);
    const wanted = this.#wanted(body, appointment);
    const { startsAt, endsAt } = wanted;
    const active = appointment.status === 'pending' || appointment.status === 'confirmed';
    if (!active || appointment.ends_at <= now()) throw notActive(appointment);
    if (startsAt === appointment.starts_at && endsAt === appointment.ends_at) return appointment;
    const connection = await connections.requireUsable(botId);
    await openings.requireByRules(bot, connection, wanted, now(), id);
    const span = claimedSpan(bot, startsAt, endsAt);
    await reading.forBooking({ ...bot, acceptPending: false }, connection, span.ends_at);
    reached('calendar-read', id);
    const at = now();
    const calendar = calendarKey(connection);
    // The event is in the calendar that it was booked into, whichever is connected by now.
    if (calendar !== appointment.calendar) throw notActive(appointment, 'in another calendar');
    const change = {
      starts_at: startsAt,
      ends_at: endsAt,
      appointment_date: wanted.date,
      appointment_time: wanted.time,
      time_zone: wanted.timeZone,
      revision: appointment.revision + 1,
      failure: null,
      updated_at: at,
    };
    try {
      const changed = await turns.run(calendar, async (tx) => {
        await tx.lock(calendar);
        if (!(await changeAppointment(tx, appointment, change))) return false;
        await sweepHolds(tx, calendar, at);
        await claimAnew(tx, bot, { ...appointment, ...change });
        const claim = { bot, connection, calendar, startsAt, endsAt, verified: true };
        const exceptEventId = ownEventId(appointment);
        await requireFree(tx, { reading, openings }, { ...claim, exceptEventId });
        await conflicts.review(tx, calendar, [id]);
        await this.#enqueue(tx, appointment, at);
        const detail = { by };
        const kind = 'appointment.rescheduled';
        await recordActivity(tx, { at, botId, kind, subjectId: id, detail });
        return true;
      });
      if (!changed) throw new ApiError('appointment_changing');
    } catch (error) {
      throw await this.#refusal(error, bot, appointment, wanted);
    }
    claimsChanged(database, calendar);
    reached('stored', id);
    return this.#write({ ...appointment, ...change });
  }

  /** The new time, in the customer's zone and of the same length unless the request differs. */
  #wanted(body: RescheduleEvent, appointment: AppointmentsTable): WantedTime {
    const { time_zone: timeZone, language } = appointment;
    const durationMinutes = (appointment.ends_at - appointment.starts_at) / 60_000;
    return readWantedTime(body, { timeZone, language, durationMinutes });
  }

  async #refusal(
    error: unknown,
    bot: Bot,
    appointment: AppointmentsTable,
    wanted: WantedTime,
  ): Promise<unknown> {
    const { connections, openings } = this.#parts;
    const { language, id } = appointment;
    if (isUniqueViolation(error)) {
      const when = describeTime(wanted.startsAt, wanted.timeZone, language);
      return new ApiError('already_booked_by_customer', { values: { when } });
    }
    const code = whyNotFree(error);
    if (code === null) return error;
    const connection = await connections.requireUsable(bot.id);
    return openings.refusal(code, bot, connection, wanted, id);
  }

  async #enqueue(
    tx: Parameters<typeof enqueue>[0],
    { id, client_id: botId, calendar: lane }: AppointmentsTable,
    at: number,
  ): Promise<void> {
    await enqueue(tx, { kind: eventJob, key: id, lane, botId, dueAt: at + jobGraceMs });
  }

  /** Brings the change into Google now, if that goes; else the job does, and the answer says so. */
  async #write(appointment: AppointmentsTable): Promise<AppointmentsTable> {
    const { writer, log } = this.#parts;
    try {
      return (await writer.write(appointment.id)) ?? appointment;
    } catch (error) {
      if (!(error instanceof GoogleError) && !(error instanceof ApiError)) throw error;
      const { client_id: botId, id: appointmentId } = appointment;
      log.warn({ err: error, botId, appointmentId }, 'event not changed yet');
      return appointment;
    } finally {
      reached('answering', appointment.id);
    }
  }
}

function notActive({ status, ends_at: endsAt }: AppointmentsTable, why?: string): ApiError {
  const active = status === 'pending' || status === 'confirmed';
  const word = active && endsAt > 0 ? 'over' : status;
  return new ApiError('appointment_not_active', { values: { status: why ?? word } });
}
