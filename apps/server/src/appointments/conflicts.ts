import { type ActivityKind, recordActivity } from '../activity/activity.ts';
import type { Bots } from '../bots/bots.ts';
import type { AppointmentsTable, Transaction } from '../db/index.ts';
import type { BusyChange } from '../sync/listener.ts';
import type { Mirror } from '../sync/mirror.ts';
import { NotMirrored } from '../sync/window.ts';
import { claimsBetween, hasClaim } from './claim-store.ts';
import { claimAnew, claimedSpan } from './claiming.ts';
import { ownEventId } from './event.ts';
import { findAppointment, findConflicting, markConflict } from './store.ts';

/** Why an appointment is not where its event is: the owner put it onto another of the same customer. */
export const movedOntoTwin = 'already_booked_by_customer';

interface ConflictParts {
  readonly bots: Bots;
  readonly mirror: Pick<Mirror, 'busyInTransaction'>;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Notices when something lies over an appointment that was not booked: an event of the owner, or
 * another appointment whose event the owner moved; and when it no longer does. The appointment
 * stays: which of the two gives way is for people to say.
 */
export class Conflicts {
  readonly #parts: ConflictParts;

  constructor(parts: ConflictParts) {
    this.#parts = parts;
  }

  /** Looks at what a pull may have brought into conflict, or out of it, in its transaction. */
  async follow(tx: Transaction, change: BusyChange): Promise<void> {
    const { calendar, appeared, changedAppointments } = change;
    const touched = new Set(changedAppointments);
    const at = this.#parts.now();
    for (const { startsAt, endsAt } of appeared) {
      for (const claim of await claimsBetween(tx, calendar, startsAt, endsAt, at)) {
        if (claim.appointmentId !== null) touched.add(claim.appointmentId);
      }
    }
    await this.review(tx, calendar, touched);
  }

  /**
   * Looks anew at the appointments of a calendar that are in conflict, and at others; to be called
   * when a claim was freed or moved.
   */
  async review(tx: Transaction, calendar: string, others: Iterable<string> = []): Promise<void> {
    const known = await findConflicting(tx, calendar);
    for (const id of new Set([...known.map((row) => row.id), ...others])) {
      const row = await findAppointment(tx, null, id);
      if (row && row.calendar === calendar) await this.#reviewOne(tx, row);
    }
  }

  async #reviewOne(tx: Transaction, row: AppointmentsTable): Promise<void> {
    const { id, status, ends_at: endsAt } = row;
    const at = this.#parts.now();
    // What is over stays as it is.
    if ((status !== 'confirmed' && status !== 'pending') || endsAt <= at) return;
    const conflict =
      !(await this.#claims(tx, row)) ||
      row.failure === movedOntoTwin ||
      (await this.#busy(tx, row));
    const botId = await markConflict(tx, id, conflict ? at : null);
    const kind: ActivityKind = conflict ? 'appointment.conflict' : 'appointment.conflict_resolved';
    if (botId !== null) await recordActivity(tx, { at, botId, kind, subjectId: id });
  }

  /** Whether the appointment has its claim; it takes it back when nothing is in the way any more. */
  async #claims(tx: Transaction, row: AppointmentsTable): Promise<boolean> {
    if (await hasClaim(tx, row.id)) return true;
    const bot = await this.#parts.bots.get(row.client_id);
    const { starts_at: from, ends_at: to } = claimedSpan(bot, row.starts_at, row.ends_at);
    // Ended holds count until they are swept: the guard of the database knows no clock.
    if ((await claimsBetween(tx, row.calendar, from, to, 0)).length > 0) return false;
    await claimAnew(tx, bot, row);
    return true;
  }

  /** Whether another event lies over it; beyond what the mirror holds, it is as it was. */
  async #busy(tx: Transaction, row: AppointmentsTable): Promise<boolean> {
    const { calendar, starts_at: from, ends_at: to } = row;
    const own = ownEventId(row);
    try {
      return await this.#parts.mirror.busyInTransaction(tx, calendar, from, to, own);
    } catch (error) {
      if (error instanceof NotMirrored) return row.conflict_since !== null;
      throw error;
    }
  }
}
