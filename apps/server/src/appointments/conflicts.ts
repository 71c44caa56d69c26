import { type ActivityKind, recordActivity } from '../activity/activity.ts';
import type { Transaction } from '../db/index.ts';
import type { BusyChange } from '../sync/listener.ts';
import type { Mirror } from '../sync/mirror.ts';
import { claimsBetween } from './claim-store.ts';
import { findConflicting, markConflict } from './store.ts';

interface ConflictParts {
  readonly mirror: Pick<Mirror, 'busyInTransaction'>;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Notices when an event of the owner lies over an appointment, whichever of the two came first,
 * and when it no longer does; in the transaction in which the mirror learns of it. The appointment
 * stays: which of the two gives way is for people to say.
 */
export function conflictWatch({ mirror, now }: ConflictParts) {
  return async (tx: Transaction, change: BusyChange): Promise<void> => {
    const { calendar, appeared, vanished } = change;
    const at = now();
    const touched = new Map<string, { startsAt: number; endsAt: number }>();
    for (const { startsAt, endsAt } of appeared) {
      for (const claim of await claimsBetween(tx, calendar, startsAt, endsAt, at)) {
        if (claim.appointmentId === null) continue;
        touched.set(claim.appointmentId, { startsAt: claim.bookedStart, endsAt: claim.bookedEnd });
      }
    }
    const known = vanished.length > 0 ? await findConflicting(tx, calendar) : [];
    for (const { id, starts_at: startsAt, ends_at: endsAt } of known) {
      touched.set(id, { startsAt, endsAt });
    }
    for (const [id, { startsAt, endsAt }] of touched) {
      const conflict =
        endsAt > at && (await mirror.busyInTransaction(tx, calendar, startsAt, endsAt, id));
      const kind: ActivityKind = conflict
        ? 'appointment.conflict'
        : 'appointment.conflict_resolved';
      const botId = await markConflict(tx, id, conflict ? at : null);
      if (botId !== null) await recordActivity(tx, { at, botId, kind, subjectId: id });
    }
  };
}
