import type { Bot, CreateEvent, ErrorCode, EventCreated } from '@calhook/contract';
import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { describeTime, formatDateTime } from '../availability/local-time.ts';
import type { Bots } from '../bots/bots.ts';
import type { AccessTokens } from '../connections/access-tokens.ts';
import { type Connection, calendarKey } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import {
  type AppointmentsTable,
  type Database,
  isOverlapViolation,
  isUniqueViolation,
} from '../db/index.ts';
import {
  type CalendarEvent,
  type FailureKind,
  type GoogleCalendar,
  GoogleError,
  type RetryPolicy,
  withRetry,
} from '../google/index.ts';
import { newId } from '../identifiers.ts';
import type { Logger } from '../logger.ts';
import { type BookingRequest, readBookingRequest, refusalByRules } from './booking-request.ts';
import { appointmentIdOf, eventIdOf, toCalendarEvent } from './event.ts';
import {
  deleteClaim,
  findAppointment,
  findByNaturalKey,
  insertAppointment,
  settlePending,
} from './store.ts';

export interface BookingParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly accessTokens: AccessTokens;
  readonly calendar: GoogleCalendar;
  readonly retry: RetryPolicy;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** A booking that was made, or had been made before. */
interface Booked {
  readonly appointment: AppointmentsTable;
  readonly replayed: boolean;
}

/** What each failure of Google means to who books. */
const refusals: Readonly<Record<FailureKind, ErrorCode>> = {
  transient: 'calendar_unreachable',
  reauth: 'calendar_needs_reauth',
  unauthorized: 'calendar_needs_reauth',
  scopes: 'calendar_missing_scopes',
  operator: 'google_client_misconfigured',
  usage_limit: 'calendar_usage_limit',
  not_found: 'calendar_not_found',
  read_only: 'calendar_read_only',
  duplicate: 'calendar_refused',
  refused: 'calendar_refused',
};

/** Failures after which the same call may succeed: the appointment stays pending for it. */
const repeatable: ReadonlySet<FailureKind> = new Set(['transient', 'operator']);
/** What a caller is asked to wait, unless Google asks for more. */
const retryAfterSeconds = 5;

function googleRefusal(error: GoogleError): ApiError {
  const code = refusals[error.kind];
  const seconds = Math.max(retryAfterSeconds, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
  return new ApiError(code, {
    members: { reason: error.reason },
    headers: repeatable.has(error.kind) ? { 'retry-after': String(seconds) } : {},
  });
}

/**
 * Booking an appointment: stored first, in Google second (design §6, Book).
 *
 * The row, its claim of the calendar and the event share one id, so whatever is lost on the way (an
 * answer of Google, this process, the caller's patience) is mended by making the same call again.
 */
export class Booking {
  readonly #parts: BookingParts;
  /** Inserts under way: callers that wait for the same appointment share one. */
  readonly #inserting = new Map<string, Promise<AppointmentsTable>>();

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
  ): Promise<{ answer: EventCreated; created: boolean }> {
    const bot = await this.#parts.bots.get(botId);
    const request = readBookingRequest(body, bot);
    const stored = await this.#store(bot, request);
    const moved = stored.replayed && (await this.#abandonIfMoved(stored.appointment));
    const { appointment, replayed } = moved ? await this.#store(bot, request) : stored;
    const settled =
      appointment.status === 'pending' ? await this.#insert(appointment) : appointment;
    return { answer: toEventCreated(settled, replayed), created: !replayed };
  }

  /** Stores the appointment and claims its span, or finds the one that stands. */
  async #store(bot: Bot, request: BookingRequest): Promise<Booked> {
    const naturalKey = { botId: bot.id, email: request.email, startsAt: request.startsAt };
    try {
      const refusal = refusalByRules(request, bot, this.#parts.now());
      if (refusal) throw refusal;
      const connection = await this.#parts.connections.requireUsable(bot.id);
      const appointment = this.#newAppointment(bot, request, connection);
      await this.#parts.database.transaction((tx) => insertAppointment(tx, appointment));
      return { appointment, replayed: false };
    } catch (error) {
      const taken = isUniqueViolation(error) || isOverlapViolation(error);
      if (!taken && !(error instanceof ApiError)) throw error;
      // The same booking may stand already, even if by now its time or its calendar is gone.
      const standing = await findByNaturalKey(this.#parts.database, naturalKey);
      if (standing) return { appointment: standing, replayed: true };
      if (!taken) throw error;
      // The one that was in the way has failed since, and its span is free again.
      if (isUniqueViolation(error)) return this.#store(bot, request);
      const when = describeTime(request.startsAt, request.timeZone);
      throw new ApiError('slot_unavailable', { values: { when } });
    }
  }

  #newAppointment(bot: Bot, request: BookingRequest, connection: Connection): AppointmentsTable {
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
    };
  }

  /**
   * Ends a pending appointment that claimed a calendar which the bot is no longer connected to, so
   * that the booking is made afresh, with a claim of the calendar that its event goes to.
   */
  async #abandonIfMoved(appointment: AppointmentsTable): Promise<boolean> {
    if (appointment.status !== 'pending') return false;
    const connection = await this.#parts.connections.requireUsable(appointment.client_id);
    if (calendarKey(connection) === appointment.calendar) return false;
    await this.#fail(appointment, 'calendar_changed');
    return true;
  }

  /** Brings a pending appointment into Google, once for all callers that wait for it. */
  #insert(appointment: AppointmentsTable): Promise<AppointmentsTable> {
    const { id } = appointment;
    const running = this.#inserting.get(id);
    if (running) return running;
    const insert = this.#insertNow(appointment).finally(() => this.#inserting.delete(id));
    this.#inserting.set(id, insert);
    return insert;
  }

  async #insertNow(appointment: AppointmentsTable): Promise<AppointmentsTable> {
    const { accessTokens, retry, log } = this.#parts;
    const connection = await this.#requireUsable(appointment);
    let event: CalendarEvent;
    try {
      event = await withRetry(retry, (leftMs) =>
        accessTokens.use(
          connection,
          (accessToken) =>
            this.#ensureEvent(accessToken, connection.calendarId, appointment, leftMs),
          leftMs,
        ),
      );
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      log.warn(
        { err: error, botId: appointment.client_id, appointmentId: appointment.id },
        'event not inserted',
      );
      if (!repeatable.has(error.kind)) await this.#fail(appointment, error.reason);
      throw googleRefusal(error);
    }
    return this.#confirm(appointment, event);
  }

  /** The connection to insert with; when it has ended since the row was stored, so has the row. */
  async #requireUsable(appointment: AppointmentsTable): Promise<Connection> {
    try {
      return await this.#parts.connections.requireUsable(appointment.client_id);
    } catch (error) {
      if (error instanceof ApiError) await this.#fail(appointment, error.code);
      throw error;
    }
  }

  /** Inserts the event; when the calendar has one with this id already, that is the one. */
  async #ensureEvent(
    accessToken: string,
    calendarId: string,
    appointment: AppointmentsTable,
    leftMs: () => number,
  ): Promise<CalendarEvent> {
    const { calendar } = this.#parts;
    try {
      return await calendar.insertEvent(
        accessToken,
        calendarId,
        toCalendarEvent(appointment),
        leftMs(),
      );
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'duplicate') throw error;
    }
    const eventId = eventIdOf(appointment.id);
    const event = await calendar.getEvent(accessToken, calendarId, eventId, leftMs());
    if (event.status === 'cancelled') {
      // The owner deleted it before its insert could be recorded: it must not come back.
      throw new GoogleError('events.insert', {
        kind: 'refused',
        status: 409,
        reason: 'deleted_by_owner',
      });
    }
    return event;
  }

  async #confirm(appointment: AppointmentsTable, event: CalendarEvent): Promise<AppointmentsTable> {
    const at = this.#parts.now();
    const change = {
      status: 'confirmed' as const,
      google_event_id: event.id ?? eventIdOf(appointment.id),
      event_link: event.htmlLink ?? null,
      meet_link: event.hangoutLink ?? null,
      updated_at: at,
    };
    const confirmed = await this.#parts.database.transaction(async (tx) => {
      if (!(await settlePending(tx, appointment.id, change))) return false;
      await recordActivity(tx, {
        at,
        botId: appointment.client_id,
        kind: 'appointment.confirmed',
        subjectId: appointment.id,
      });
      return true;
    });
    if (confirmed) return { ...appointment, ...change };
    // Another process was first; what it stored is what counts.
    const { database } = this.#parts;
    return (await findAppointment(database, appointment.client_id, appointment.id)) ?? appointment;
  }

  /** Ends an appointment that will not come into Google, and frees its span. */
  async #fail(appointment: AppointmentsTable, reason: string): Promise<void> {
    const at = this.#parts.now();
    await this.#parts.database.transaction(async (tx) => {
      const change = { status: 'failed' as const, failure: reason, updated_at: at };
      if (!(await settlePending(tx, appointment.id, change))) return;
      await deleteClaim(tx, appointment.id);
      await recordActivity(tx, {
        at,
        botId: appointment.client_id,
        kind: 'appointment.failed',
        subjectId: appointment.id,
        detail: { reason },
      });
    });
  }
}

function toEventCreated(appointment: AppointmentsTable, replayed: boolean): EventCreated {
  const { time_zone: timeZone, meet_link: meetLink } = appointment;
  return {
    success: true,
    appointmentId: appointment.id,
    eventId: appointment.google_event_id,
    eventLink: appointment.event_link,
    status: appointment.status,
    start: formatDateTime(appointment.starts_at, timeZone),
    end: formatDateTime(appointment.ends_at, timeZone),
    timeZone,
    when: describeTime(appointment.starts_at, timeZone),
    ...(meetLink ? { meetLink } : {}),
    ...(replayed ? { replayed } : {}),
  };
}
