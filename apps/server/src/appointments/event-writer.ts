import { recordActivity } from '../activity/activity.ts';
import type { Bots } from '../bots/bots.ts';
import type { AccessTokens } from '../connections/access-tokens.ts';
import { type Connection, calendarKey } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import {
  type AppointmentsTable,
  type Database,
  isOverlapViolation,
  type Transaction,
} from '../db/index.ts';
import { type GoogleCalendar, type RetryPolicy, withRetry } from '../google/index.ts';
import { settle } from '../jobs/jobs.ts';
import type { Mirror } from '../sync/mirror.ts';
import { Recent } from '../sync/recent.ts';
import { connectionsOf } from './calendar-reading.ts';
import { claimsChanged, deleteClaim, moveClaim } from './claim-store.ts';
import { claimedSpan } from './claiming.ts';
import type { Conflicts } from './conflicts.ts';
import { ownEventId } from './event.ts';
import { EventCalls } from './event-calls.ts';
import { reached } from './milestones.ts';
import {
  type AppointmentChange,
  changeAppointment,
  deleteIdempotencyKeys,
  findAppointment,
} from './store.ts';

/** The job that brings the event of an appointment in line with it; its key is the appointment. */
export const eventJob = 'event.write';

/** A job takes over what its request has not brought into Google by then, in milliseconds. */
export const jobGraceMs = 15_000;
/** Far more than come between a commit and the word of it. */
const maxLooked = 1_000;

interface EventWriterParts {
  readonly database: Database;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly accessTokens: AccessTokens;
  readonly calendar: GoogleCalendar;
  readonly mirror: Mirror;
  readonly conflicts: Conflicts;
  readonly retry: RetryPolicy;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** Nothing more is to be written for an appointment of this revision. */
function isWritten(appointment: AppointmentsTable): boolean {
  const { status, revision, written_revision: written } = appointment;
  return status === 'failed' || (status !== 'pending' && written >= revision);
}

/**
 * Brings Google in line with an appointment: inserts, moves or deletes its event.
 *
 * It looks at what the appointment is, not at what was asked for, so it may be run at any time, by
 * the request that made a change and by the job behind it, in several processes at once. Inserts
 * meet at one event id; changes carry the ETag of what they change; what a slower one overwrites is
 * found by its revision and written again.
 */
export class EventWriter {
  readonly #parts: EventWriterParts;
  readonly #calls: EventCalls;
  /** Writes under way: callers that wait for the same appointment share one. */
  readonly #writing = new Map<string, Promise<AppointmentsTable | null>>();
  /** Appointments that were looked at here; what is at hand of one is no longer news. */
  readonly #looked = new Recent<true>(maxLooked);

  constructor(parts: EventWriterParts) {
    this.#parts = parts;
    this.#calls = new EventCalls(parts.calendar, parts.now);
  }

  /**
   * @returns the appointment as it is then; null when it was deleted meanwhile
   * @throws {GoogleError} when Google does not have it as it is; it is stored as it was
   * @throws {ApiError} `calendar_not_connected` and the like
   */
  write(id: string): Promise<AppointmentsTable | null> {
    this.#looked.set(id, true);
    return this.#share(id);
  }

  /**
   * As {@link write} when the row is at hand, newly stored by this process.
   *
   * PostgreSQL shows a row before it tells who stored it that it is committed. Another caller may
   * have found it in between, and written it.
   */
  writeNew(appointment: AppointmentsTable): Promise<AppointmentsTable | null> {
    const { id } = appointment;
    return this.#looked.get(id) ? this.write(id) : this.#share(id, appointment);
  }

  #share(id: string, atHand?: AppointmentsTable): Promise<AppointmentsTable | null> {
    const running = this.#writing.get(id);
    if (running) return running;
    const write = this.#write(id, atHand).finally(() => this.#writing.delete(id));
    this.#writing.set(id, write);
    return write;
  }

  async #write(id: string, atHand?: AppointmentsTable): Promise<AppointmentsTable | null> {
    const { database } = this.#parts;
    let row = atHand ?? (await findAppointment(database.read, null, id));
    while (row && !isWritten(row)) {
      const appointment: AppointmentsTable = row;
      const connection = await this.#parts.connections.requireUsable(appointment.client_id);
      const before = await this.#readyFor(appointment, connection);
      if (before) {
        const written = await this.#bring(before, connection);
        if (written) return written;
      }
      // Changed meanwhile, by another process or by the owner: what it is now counts.
      row = await findAppointment(database.read, null, id);
    }
    return row ?? null;
  }

  /** Makes the calls to Google that the appointment needs, and records what came of them. */
  async #bring(
    appointment: AppointmentsTable,
    connection: Connection,
  ): Promise<AppointmentsTable | null> {
    const { accessTokens, mirror, retry } = this.#parts;
    const { id, status, starts_at: startsAt, ends_at: endsAt } = appointment;
    const eventId = ownEventId(appointment);
    if (status === 'pending') mirror.written.inserting(eventId, { startsAt, endsAt });
    let written: AppointmentsTable | null = null;
    try {
      const change = await withRetry(retry, (leftMs) =>
        accessTokens.use(
          connection,
          (accessToken) => this.#calls.bringIntoLine(appointment, connection, accessToken, leftMs),
          leftMs,
        ),
      );
      reached('event-written', id);
      written = await this.#store(appointment, change);
      if (written) reached('event-recorded', id);
      return written;
    } finally {
      mirror.written.note(eventId, written?.etag ?? null);
    }
  }

  /**
   * What must hold before a pending appointment may become an event: its claim is of the calendar
   * that the bot is connected to, and the owner's calendar has been read for it.
   *
   * @returns the appointment as it is then; null when it has to be read again
   */
  async #readyFor(
    appointment: AppointmentsTable,
    connection: Connection,
  ): Promise<AppointmentsTable | null> {
    if (appointment.status !== 'pending') return appointment;
    const { database, mirror, now, retry } = this.#parts;
    const calendar = calendarKey(connection);
    const moved = calendar !== appointment.calendar;
    if (!moved && appointment.unverified === 0) return appointment;
    const bot = await this.#parts.bots.get(appointment.client_id);
    const span = claimedSpan(bot, appointment.starts_at, appointment.ends_at);
    const wish = { budgetMs: retry.budgetMs, until: span.ends_at };
    const connections = connectionsOf(bot, connection);
    await Promise.all(connections.map((one) => mirror.pull(one, wish)));
    try {
      const change = { calendar, unverified: 0, updated_at: now() };
      const free = await database.transaction(async (tx) => {
        if (!(await changeAppointment(tx, appointment, change))) return true;
        await tx.lock(calendar);
        if (moved) await moveClaim(tx, appointment.id, { calendar, ...span });
        for (const key of connections.map(calendarKey)) {
          const { starts_at: from, ends_at: to } = span;
          if (await mirror.busyInTransaction(tx, key, from, to)) return false;
        }
        return true;
      });
      if (free) return { ...appointment, ...change };
    } catch (error) {
      if (!isOverlapViolation(error)) throw error;
    }
    await this.fail(appointment, moved ? 'calendar_changed' : 'slot_unavailable');
    return null;
  }

  /**
   * Records what Google has now, and that nothing is left to be done for it.
   *
   * @returns null when the appointment was changed meanwhile
   */
  async #store(
    before: AppointmentsTable,
    event: Partial<AppointmentsTable>,
  ): Promise<AppointmentsTable | null> {
    const at = this.#parts.now();
    const change: AppointmentChange = {
      ...event,
      ...(before.status === 'pending' ? { status: 'confirmed' as const } : {}),
      written_revision: before.revision,
      updated_at: at,
    };
    const { database, mirror } = this.#parts;
    const stored = await database.transaction(async (tx) => {
      if (before.status === 'confirmed') await mirror.outdate(tx, before.calendar);
      if (!(await changeAppointment(tx, before, change))) return false;
      await settle(tx, eventJob, before.id);
      const about = { at, botId: before.client_id, subjectId: before.id };
      if (before.status === 'pending') {
        await recordActivity(tx, { ...about, kind: 'appointment.confirmed' });
      }
      if (change.status === 'cancelled') {
        await this.#free(tx, before);
        await recordActivity(tx, {
          ...about,
          kind: 'appointment.cancelled',
          detail: { by: 'owner' },
        });
      }
      return true;
    });
    if (!stored) return null;
    if (change.status === 'cancelled') claimsChanged(database, before.calendar);
    return { ...before, ...change };
  }

  /** Ends a pending appointment that will not come into Google, and frees its span. */
  async fail(appointment: AppointmentsTable, reason: string): Promise<void> {
    const at = this.#parts.now();
    const { id, client_id: botId } = appointment;
    await this.#parts.database.transaction(async (tx) => {
      const change = { status: 'failed' as const, failure: reason, updated_at: at };
      if (!(await changeAppointment(tx, appointment, change))) return;
      await this.#free(tx, appointment);
      await deleteIdempotencyKeys(tx, id);
      await settle(tx, eventJob, id);
      const detail = { reason };
      await recordActivity(tx, { at, botId, kind: 'appointment.failed', subjectId: id, detail });
    });
    claimsChanged(this.#parts.database, appointment.calendar);
  }

  async #free(tx: Transaction, { id, calendar }: AppointmentsTable): Promise<void> {
    await deleteClaim(tx, id);
    await this.#parts.conflicts.review(tx, calendar);
  }
}
