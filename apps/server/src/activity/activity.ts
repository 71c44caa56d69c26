import type { Transaction } from '../db/index.ts';
import { newId } from '../identifiers.ts';
import { insertActivity } from './store.ts';

/** What can happen to a bot, as the activity record names it. */
export type ActivityKind =
  | 'connection.connected'
  | 'connection.needs_reauth'
  | 'connection.recovered'
  | 'connection.expiring'
  | 'connection.disconnected'
  | 'appointment.confirmed'
  | 'appointment.failed';

/**
 * Records what happened, in the transaction that makes it happen, so that the record is there if
 * and only if the change is.
 *
 * @param detail shown to people; must hold no secrets and no customer data
 */
export async function recordActivity(
  tx: Transaction,
  activity: {
    readonly at: number;
    readonly botId: string;
    readonly kind: ActivityKind;
    readonly subjectId?: string;
    readonly detail?: Readonly<Record<string, string | number | null>>;
  },
): Promise<void> {
  await insertActivity(tx, {
    id: newId(activity.at),
    client_id: activity.botId,
    at: activity.at,
    kind: activity.kind,
    subject_id: activity.subjectId ?? null,
    detail: JSON.stringify(activity.detail ?? {}),
  });
}
