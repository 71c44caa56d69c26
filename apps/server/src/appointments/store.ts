import { sql } from 'kysely';
import {
  type AppointmentsTable,
  type Database,
  type IdempotencyKeysTable,
  insertRow,
  type Page,
  type PageWanted,
  readCompiled,
  readPage,
  type Transaction,
  writeCompiled,
} from '../db/index.ts';

type Reader = Database['read'];

/** The appointment that stands for the same customer at the same start, if there is one. */
export async function findByNaturalKey(
  database: Database,
  key: { readonly botId: string; readonly email: string; readonly startsAt: number },
): Promise<AppointmentsTable | undefined> {
  const { botId, email, startsAt } = key;
  const compile = () =>
    database.read
      .selectFrom('appointments')
      .selectAll()
      .where('client_id', '=', botId)
      .where('customer_email', '=', email)
      .where('starts_at', '=', startsAt)
      // In the words of the partial index: with parameters, SQLite cannot tell that it applies, and
      // reads all appointments of the bot.
      .where('status', 'in', [sql<'pending'>`'pending'`, sql<'confirmed'>`'confirmed'`])
      .compile();
  const parameters = [botId, email, startsAt];
  return (await readCompiled(database.read, 'standing appointment', compile, parameters))[0];
}

/** @param botId null: of whichever bot */
export async function findAppointment(
  reader: Reader,
  botId: string | null,
  id: string,
): Promise<AppointmentsTable | undefined> {
  const compile = () =>
    reader.selectFrom('appointments').selectAll().where('id', '=', id).compile();
  const [found] = await readCompiled(reader, 'appointment', compile, [id]);
  return botId === null || found?.client_id === botId ? found : undefined;
}

/** One page of a bot's appointments, newest first. */
export function listAppointments(
  database: Database,
  botId: string,
  page: PageWanted,
): Promise<Page<AppointmentsTable>> {
  const appointments = database.read
    .selectFrom('appointments')
    .selectAll()
    .where('client_id', '=', botId);
  return readPage(appointments, 'desc', page);
}

/** @throws a unique violation when the same booking stands (`isUniqueViolation` of db/) */
export async function insertAppointment(
  tx: Transaction,
  appointment: AppointmentsTable,
): Promise<void> {
  await insertRow(tx, 'appointments', appointment);
}

/** What a change of an appointment may set. */
export type AppointmentChange = Partial<
  Omit<AppointmentsTable, 'id' | 'client_id' | 'created_at'>
> &
  Pick<AppointmentsTable, 'updated_at'>;

/**
 * Changes an appointment if it is still as it was read: of that status and revision.
 *
 * @returns false when it has been changed since
 */
export async function changeAppointment(
  tx: Transaction,
  read: Pick<AppointmentsTable, 'id' | 'status' | 'revision'>,
  change: AppointmentChange,
): Promise<boolean> {
  const written = await writeCompiled(
    tx,
    `change appointment ${Object.keys(change)}`,
    () =>
      tx
        .updateTable('appointments')
        .set(change)
        .where('id', '=', read.id)
        .where('status', '=', read.status)
        .where('revision', '=', read.revision)
        .compile(),
    [...Object.values(change), read.id, read.status, read.revision],
  );
  return written > 0;
}

/**
 * Whether the same customer has another standing appointment with the same bot at that start: there
 * can be one (the natural key of bookings).
 */
export async function hasTwin(
  reader: Reader,
  { id, client_id, customer_email }: AppointmentsTable,
  startsAt: number,
): Promise<boolean> {
  const found = await reader
    .selectFrom('appointments')
    .select('id')
    .where('client_id', '=', client_id)
    .where('customer_email', '=', customer_email)
    .where('starts_at', '=', startsAt)
    .where('status', 'in', ['pending', 'confirmed'])
    .where('id', '<>', id)
    .executeTakeFirst();
  return found !== undefined;
}

/** Standing appointments of a calendar that are known to be in conflict. */
export async function findConflicting(
  reader: Reader,
  calendar: string,
): Promise<Pick<AppointmentsTable, 'id'>[]> {
  return reader
    .selectFrom('appointments')
    .select('id')
    .where('calendar', '=', calendar)
    .where('conflict_since', 'is not', null)
    .where('status', 'in', ['pending', 'confirmed'])
    .execute();
}

/** Confirmed appointments of a calendar that lie within a window, and that Google has as they are. */
export async function findWritten(
  reader: Reader,
  calendar: string,
  window: { readonly startsAt: number; readonly endsAt: number },
): Promise<Pick<AppointmentsTable, 'id' | 'google_event_id' | 'revision'>[]> {
  return reader
    .selectFrom('claims')
    .innerJoin('appointments', 'appointments.id', 'claims.appointment_id')
    .select(['appointments.id', 'appointments.google_event_id', 'appointments.revision'])
    .where('claims.calendar', '=', calendar)
    .where('claims.starts_at', '>', window.startsAt)
    .where('claims.ends_at', '<', window.endsAt)
    .where('appointments.status', '=', 'confirmed')
    .whereRef('appointments.written_revision', '=', 'appointments.revision')
    .execute();
}

/**
 * Marks an appointment as overlapped by an event of the owner since `since`, or as free of any.
 *
 * @returns its bot, when that is news; else null
 */
export async function markConflict(
  tx: Transaction,
  id: string,
  since: number | null,
): Promise<string | null> {
  const marked = await tx
    .updateTable('appointments')
    .set({ conflict_since: since })
    .where('id', '=', id)
    .where('conflict_since', since === null ? 'is not' : 'is', null)
    .returning('client_id')
    .executeTakeFirst();
  return marked?.client_id ?? null;
}

/** The booking that came with an `Idempotency-Key`, and with which body. */
export async function findIdempotencyKey(
  database: Database,
  caller: string,
  keyHash: string,
): Promise<IdempotencyKeysTable | undefined> {
  return database.read
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('caller', '=', caller)
    .where('key_hash', '=', keyHash)
    .executeTakeFirst();
}

/** @throws a unique violation when the key made a booking before */
export async function insertIdempotencyKey(
  tx: Transaction,
  key: IdempotencyKeysTable,
): Promise<void> {
  await insertRow(tx, 'idempotency_keys', key);
}

/** Lets the keys of an appointment be used again: what was refused burns none. */
export async function deleteIdempotencyKeys(tx: Transaction, appointmentId: string): Promise<void> {
  await tx.deleteFrom('idempotency_keys').where('appointment_id', '=', appointmentId).execute();
}

/** Forgets keys older than `at`. */
export async function sweepIdempotencyKeys(tx: Transaction, at: number): Promise<void> {
  await tx.deleteFrom('idempotency_keys').where('created_at', '<', at).execute();
}
