import { recordActivity } from '../activity/activity.ts';
import { wallClockOf } from '../availability/local-time.ts';
import type { Bots } from '../bots/bots.ts';
import type { AppointmentsTable, Database, Transaction } from '../db/index.ts';
import type { ReadEvent, Span } from '../sync/busy-spans.ts';
import type { ExpectedEvent, FollowedEvents, OwnEvents } from '../sync/listener.ts';
import {
  claimsBetween,
  claimsChanged,
  deleteClaim,
  deleteHoldsBetween,
  hasClaim,
} from './claim-store.ts';
import { claimAnew, claimedSpan } from './claiming.ts';
import { movedOntoTwin } from './conflicts.ts';
import { appointmentIdOf, ownEventId } from './event.ts';
import { changeAppointment, findAppointment, findWritten, hasTwin } from './store.ts';

interface OwnerEditParts {
  readonly database: Database;
  readonly bots: Bots;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Follows what owners do to events of ours in Google: an appointment that they move or delete is
 * moved or cancelled here, in the transaction in which the mirror learns of it. A change made here
 * that Google does not have yet wins over theirs, but for a deletion.
 */
export class OwnerEdits {
  readonly #parts: OwnerEditParts;

  constructor(parts: OwnerEditParts) {
    this.#parts = parts;
  }

  /** The events of appointments that Google has now. */
  async expected(calendar: string, window: Span): Promise<ExpectedEvent[]> {
    const rows = await findWritten(this.#parts.database.read, calendar, window);
    return rows.map((row) => ({
      eventId: ownEventId(row),
      appointmentId: row.id,
      revision: row.revision,
    }));
  }

  /** Returns the ids of the events that no claim stands for, so that the mirror must. */
  async follow(tx: Transaction, own: OwnEvents): Promise<FollowedEvents> {
    const { calendar, events, missing } = own;
    const keep = new Set<string>();
    const changed = new Set<string>();
    await tx.lock(calendar);
    for (const event of events) {
      // A deleted event may have lost its mark, but not its id (facts/google.md §2).
      const id = event.appointmentId ?? appointmentIdOf(event.eventId);
      const row = await findAppointment(tx, null, id);
      const ours = row !== undefined && row.calendar === calendar && isEventOf(row, event);
      const claimed = ours ? await this.#followOne(tx, row, event, changed) : false;
      if (!claimed && !event.cancelled) keep.add(event.eventId);
    }
    for (const { appointmentId, revision } of missing) {
      const row = await findAppointment(tx, null, appointmentId);
      // Whatever was changed since was not to be found in the list as it is now.
      if (row?.status !== 'confirmed' || row.calendar !== calendar) continue;
      if (row.revision !== revision) continue;
      changed.add(row.id);
      await this.#cancel(tx, row);
    }
    const { database } = this.#parts;
    return { keep, changed, committed: () => claimsChanged(database, calendar) };
  }

  /** Returns whether a claim, or a change that is on its way, stands for the event. */
  async #followOne(
    tx: Transaction,
    row: AppointmentsTable,
    event: ReadEvent,
    changed: Set<string>,
  ): Promise<boolean> {
    if (row.status === 'pending') return true;
    const { span } = event;
    const settled = row.written_revision >= row.revision;
    if (row.status === 'confirmed' && event.cancelled) {
      changed.add(row.id);
      await this.#cancel(tx, row);
      return false;
    }
    if (row.status === 'cancelled' && !event.cancelled) {
      // Ours, and its deletion is still on its way; or the owner took it out of the bin.
      if (!settled) return true;
      if (row.cancelled_by !== 'owner' || span === null) return false;
      changed.add(row.id);
      return this.#move(tx, row, span);
    }
    if (row.status !== 'confirmed') return false;
    if (!settled || span === null) return true;
    const moved = row.starts_at !== span.startsAt || row.ends_at !== span.endsAt;
    if (!moved && row.failure !== movedOntoTwin) return hasClaim(tx, row.id);
    changed.add(row.id);
    return this.#move(tx, row, span);
  }

  async #cancel(tx: Transaction, row: AppointmentsTable): Promise<void> {
    const at = this.#parts.now();
    const revision = row.revision + 1;
    await changeAppointment(tx, row, {
      status: 'cancelled',
      cancelled_by: 'owner',
      // Google has it so already.
      revision,
      written_revision: revision,
      conflict_since: null,
      updated_at: at,
    });
    await deleteClaim(tx, row.id);
    await recordActivity(tx, {
      at,
      botId: row.client_id,
      kind: 'appointment.cancelled',
      subjectId: row.id,
      detail: { by: 'owner' },
    });
  }

  /**
   * Takes the owner's word for when the appointment is; holds give way to it. Where the new time is
   * claimed by another appointment, it is left without a claim of its own, which is a conflict. Onto
   * another one of the same customer it cannot follow, since there is one at a time.
   *
   * @returns whether a claim stands for the event
   */
  async #move(tx: Transaction, row: AppointmentsTable, to: Span): Promise<boolean> {
    const at = this.#parts.now();
    const { startsAt, endsAt } = to;
    if (await hasTwin(tx, row, startsAt)) {
      if (row.status === 'confirmed') {
        await changeAppointment(tx, row, { failure: movedOntoTwin, updated_at: at });
      }
      return false;
    }
    const bot = await this.#parts.bots.get(row.client_id);
    const restored = row.status === 'cancelled';
    const { date, time } = wallClockOf(startsAt, row.time_zone);
    const revision = row.revision + 1;
    const change = {
      status: 'confirmed' as const,
      cancelled_by: null,
      starts_at: startsAt,
      ends_at: endsAt,
      appointment_date: date,
      appointment_time: time,
      // Google has it so already.
      revision,
      written_revision: revision,
      failure: null,
      updated_at: at,
    };
    await changeAppointment(tx, row, change);
    const { starts_at: from, ends_at: until } = claimedSpan(bot, startsAt, endsAt);
    await deleteHoldsBetween(tx, row.calendar, from, until);
    const claims = await claimsBetween(tx, row.calendar, from, until, at);
    const free = claims.every(({ appointmentId }) => appointmentId === row.id);
    await (free ? claimAnew(tx, bot, { ...row, ...change }) : deleteClaim(tx, row.id));
    await recordActivity(tx, {
      at,
      botId: row.client_id,
      kind: restored ? 'appointment.restored' : 'appointment.rescheduled',
      subjectId: row.id,
      detail: { by: 'owner' },
    });
    return free;
  }
}

/** A copy that the owner made of an event carries the same mark, but is another event. */
function isEventOf(row: AppointmentsTable, event: ReadEvent): boolean {
  return event.eventId === ownEventId(row);
}
