import type { Connection } from '../connections/connection.ts';
import type { AppointmentsTable } from '../db/index.ts';
import { type CalendarEvent, type GoogleCalendar, GoogleError } from '../google/index.ts';
import { eventTimes, ownEventId, toCalendarEvent } from './event.ts';
import { reached } from './milestones.ts';

/** Longer than any call to Google may last, its repeats included, in milliseconds. */
const insertMayLastMs = 60_000;

/** The calls that make an event of Google what its appointment is. */
export class EventCalls {
  readonly #calendar: GoogleCalendar;
  readonly #now: () => number;

  /** @param now clock in epoch milliseconds */
  constructor(calendar: GoogleCalendar, now: () => number) {
    this.#calendar = calendar;
    this.#now = now;
  }

  /**
   * Makes the calls to Google that the appointment needs.
   *
   * @returns what is to be stored of it then
   * @throws {GoogleError} when Google does not have it as it is
   */
  async bringIntoLine(
    appointment: AppointmentsTable,
    connection: Connection,
    accessToken: string,
    leftMs: () => number,
  ): Promise<Partial<AppointmentsTable>> {
    const { calendarId } = connection;
    const { status } = appointment;
    reached('event-sending', appointment.id);
    if (status === 'pending') return this.#insert(appointment, calendarId, accessToken, leftMs);
    if (status === 'confirmed') return this.#move(appointment, calendarId, accessToken, leftMs);
    return this.#delete(appointment, calendarId, accessToken, leftMs);
  }

  /** Inserts the event; when the calendar has one with this id already, that is the one. */
  async #insert(
    appointment: AppointmentsTable,
    calendarId: string,
    accessToken: string,
    leftMs: () => number,
  ): Promise<Partial<AppointmentsTable>> {
    const calendar = this.#calendar;
    const event = toCalendarEvent(appointment);
    try {
      return written(await calendar.insertEvent(accessToken, calendarId, event, leftMs()));
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'duplicate') throw error;
    }
    const id = ownEventId(appointment);
    const there = await calendar.getEvent(accessToken, calendarId, id, leftMs());
    // The owner deleted it before its insert could be recorded: it must not come back.
    if (there.status === 'cancelled') {
      throw new GoogleError('events.insert', {
        kind: 'refused',
        status: 409,
        reason: 'deleted_by_owner',
      });
    }
    return this.#align(there, appointment, calendarId, accessToken, leftMs);
  }

  /** Moves the event to where the appointment is. */
  async #move(
    appointment: AppointmentsTable,
    calendarId: string,
    accessToken: string,
    leftMs: () => number,
  ): Promise<Partial<AppointmentsTable>> {
    const calendar = this.#calendar;
    const id = ownEventId(appointment);
    if (appointment.etag !== null) {
      try {
        const change = { id, ...eventTimes(appointment) };
        return written(
          await calendar.patchEvent(accessToken, calendarId, change, appointment.etag, leftMs()),
        );
      } catch (error) {
        if (!(error instanceof GoogleError) || error.kind !== 'changed') throw error;
      }
    }
    // Another version than the one known: the owner's, or this change whose answer was lost.
    const there = await calendar.getEvent(accessToken, calendarId, id, leftMs());
    if (there.status === 'cancelled') return { status: 'cancelled', cancelled_by: 'owner' };
    return this.#align(there, appointment, calendarId, accessToken, leftMs);
  }

  /** Moves an event, as it was just read, unless it is where it should be. */
  async #align(
    there: CalendarEvent,
    appointment: AppointmentsTable,
    calendarId: string,
    accessToken: string,
    leftMs: () => number,
  ): Promise<Partial<AppointmentsTable>> {
    if (isAt(there, appointment)) return written(there);
    const id = ownEventId(appointment);
    const change = { id, ...eventTimes(appointment) };
    const calendar = this.#calendar;
    const etag = there.etag ?? null;
    return written(await calendar.patchEvent(accessToken, calendarId, change, etag, leftMs()));
  }

  async #delete(
    appointment: AppointmentsTable,
    calendarId: string,
    accessToken: string,
    leftMs: () => number,
  ): Promise<Partial<AppointmentsTable>> {
    const id = ownEventId(appointment);
    try {
      await this.#calendar.deleteEvent(accessToken, calendarId, id, leftMs());
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (error.kind === 'not_found') this.#mayFollow(appointment, error);
      else if (error.kind !== 'gone') throw error;
    }
    return { failure: null };
  }

  /**
   * An event that was never recorded may still be on its way to Google, from a process that was
   * killed or is slow; whether it came is looked at once more when that is over.
   *
   * @throws {GoogleError} kind `transient`, with the time until then
   */
  #mayFollow(appointment: AppointmentsTable, error: GoogleError): void {
    const leftMs = appointment.updated_at + insertMayLastMs - this.#now();
    if (appointment.google_event_id !== null || leftMs <= 0) return;
    throw new GoogleError(error.operation, {
      kind: 'transient',
      status: error.status,
      reason: 'insert_may_be_under_way',
      retryAfterMs: leftMs,
    });
  }
}

/** What an event that was written tells of itself. */
function written(event: CalendarEvent): Partial<AppointmentsTable> {
  return {
    ...(event.id ? { google_event_id: event.id } : {}),
    event_link: event.htmlLink ?? null,
    meet_link: event.hangoutLink ?? null,
    etag: event.etag ?? null,
    failure: null,
  };
}

function isAt(event: CalendarEvent, appointment: AppointmentsTable): boolean {
  const { start, end } = event;
  return (
    Date.parse(start?.dateTime ?? '') === appointment.starts_at &&
    Date.parse(end?.dateTime ?? '') === appointment.ends_at
  );
}
