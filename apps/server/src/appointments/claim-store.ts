import { sql } from 'kysely';
import {
  type ClaimsTable,
  type Database,
  insertRow,
  readCompiled,
  type Transaction,
  writeCompiled,
} from '../db/index.ts';

/** Epoch milliseconds, half-open. */
interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** A span of a calendar that an appointment or a live hold takes. */
export interface Claim extends Span {
  readonly id: string;
  readonly botId: string;
  /** The appointment itself, without buffers. */
  readonly bookedStart: number;
  readonly bookedEnd: number;
  readonly appointmentId: string | null;
  /** When a hold ends; null: an appointment. */
  readonly expiresAt: number | null;
}

/** Tells the caches of this process that claims of a calendar have changed; after the commit. */
export function claimsChanged(database: Database, calendar: string): void {
  database.changes.deliver('claims', calendar);
}

/** @throws an overlap violation when the span is taken (`isOverlapViolation` of db/) */
export async function insertClaim(tx: Transaction, claim: ClaimsTable): Promise<void> {
  await insertRow(tx, 'claims', claim);
}

/** Takes away the holds of a calendar that have ended, so that they are in nobody's way. */
export async function sweepHolds(tx: Transaction, calendar: string, now: number): Promise<void> {
  await writeCompiled(
    tx,
    'sweep holds',
    () =>
      tx
        .deleteFrom('claims')
        .where('calendar', '=', calendar)
        .where('expires_at', '<=', now)
        .where('expires_at', 'is not', null)
        .compile(),
    [calendar, now],
  );
}

/** Takes away the holds, of any calendar, that ended before `at`. */
export async function sweepAllHolds(tx: Transaction, at: number): Promise<void> {
  await tx
    .deleteFrom('claims')
    .where('expires_at', 'is not', null)
    .where('expires_at', '<=', at)
    .execute();
}

/** A hold of a bot, whether it has ended or not. */
export async function findHold(
  tx: Pick<Database['read'], 'selectFrom'>,
  calendar: string,
  holdId: string,
): Promise<ClaimsTable | undefined> {
  return tx
    .selectFrom('claims')
    .selectAll()
    .where('calendar', '=', calendar)
    .where('expires_at', 'is not', null)
    .where('id', '=', holdId)
    .executeTakeFirst();
}

/** Ends a hold; its calendar, or null when there is no such hold. */
export async function deleteHold(
  tx: Transaction,
  botId: string,
  holdId: string,
): Promise<string | null> {
  const deleted = await tx
    .deleteFrom('claims')
    .where('expires_at', 'is not', null)
    .where('client_id', '=', botId)
    .where('id', '=', holdId)
    .returning('calendar')
    .executeTakeFirst();
  return deleted?.calendar ?? null;
}

/** Ends the holds of a calendar that overlap [from, to), whether they have ended or not. */
export async function deleteHoldsBetween(
  tx: Transaction,
  calendar: string,
  from: number,
  to: number,
): Promise<void> {
  await tx
    .deleteFrom('claims')
    .where('calendar', '=', calendar)
    .where('expires_at', 'is not', null)
    .where('starts_at', '<', to)
    .where('ends_at', '>', from)
    .execute();
}

/** Whether an appointment holds a claim. */
export async function hasClaim(tx: Transaction, appointmentId: string): Promise<boolean> {
  const found = await tx
    .selectFrom('claims')
    .select('id')
    .where('appointment_id', '=', appointmentId)
    .executeTakeFirst();
  return found !== undefined;
}

/** Frees the span that an appointment took. */
export async function deleteClaim(tx: Transaction, appointmentId: string): Promise<void> {
  await tx.deleteFrom('claims').where('appointment_id', '=', appointmentId).execute();
}

/**
 * Moves the claim of an appointment in one statement: the old span is free only when the new one
 * is taken.
 *
 * @returns false when the appointment has no claim
 * @throws an overlap violation when the span is taken
 */
export async function moveClaim(
  tx: Transaction,
  appointmentId: string,
  to: Pick<ClaimsTable, 'starts_at' | 'ends_at' | 'booked_start' | 'booked_end'> &
    Partial<Pick<ClaimsTable, 'calendar'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('claims')
    .set(to)
    .where('appointment_id', '=', appointmentId)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Claims of a calendar that overlap [from, to), without holds that have ended.
 *
 * As the claims of a calendar are disjoint, at most the last one that begins by `from` reaches into
 * the span: it is read from there on, however many claims came before.
 */
export async function claimsBetween(
  reader: Database['read'],
  calendar: string,
  from: number,
  to: number,
  now: number,
): Promise<Claim[]> {
  const compile = () =>
    reader
      .selectFrom('claims')
      .selectAll()
      .where('calendar', '=', calendar)
      .where(
        'starts_at',
        '>=',
        sql<number>`coalesce((select max(starts_at) from claims where calendar = ${calendar} and starts_at <= ${from}), ${from})`,
      )
      .where('starts_at', '<', to)
      .where('ends_at', '>', from)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
      .orderBy('starts_at')
      .compile();
  const parameters = [calendar, calendar, from, from, to, from, now];
  const rows = await readCompiled(reader, 'claims between', compile, parameters);
  return rows.map((row) => ({
    id: row.id,
    botId: row.client_id,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    bookedStart: row.booked_start,
    bookedEnd: row.booked_end,
    appointmentId: row.appointment_id,
    expiresAt: row.expires_at,
  }));
}
