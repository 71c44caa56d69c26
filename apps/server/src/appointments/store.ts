import {
  type AppointmentsTable,
  type ClaimsTable,
  type Database,
  insertRow,
  type Transaction,
  writeCompiled,
} from '../db/index.ts';

/** The appointment that stands for the same customer at the same start, if there is one. */
export async function findByNaturalKey(
  database: Database,
  key: { readonly botId: string; readonly email: string; readonly startsAt: number },
): Promise<AppointmentsTable | undefined> {
  return database.read
    .selectFrom('appointments')
    .selectAll()
    .where('client_id', '=', key.botId)
    .where('customer_email', '=', key.email)
    .where('starts_at', '=', key.startsAt)
    .where('status', 'in', ['pending', 'confirmed'])
    .executeTakeFirst();
}

export async function findAppointment(
  database: Database,
  botId: string,
  id: string,
): Promise<AppointmentsTable | undefined> {
  return database.read
    .selectFrom('appointments')
    .selectAll()
    .where('id', '=', id)
    .where('client_id', '=', botId)
    .executeTakeFirst();
}

/** Appointments of a bot, newest first, those made before `beforeId`; at most `limit`. */
export async function listAppointments(
  database: Database,
  page: { readonly botId: string; readonly beforeId: string | null; readonly limit: number },
): Promise<AppointmentsTable[]> {
  let query = database.read
    .selectFrom('appointments')
    .selectAll()
    .where('client_id', '=', page.botId)
    .orderBy('id', 'desc')
    .limit(page.limit);
  if (page.beforeId !== null) query = query.where('id', '<', page.beforeId);
  return query.execute();
}

/**
 * Stores an appointment and the span of the calendar that it takes.
 *
 * @throws a unique violation when the same booking stands, an overlap violation when the span is
 *   taken (`isUniqueViolation`, `isOverlapViolation` of db/)
 */
export async function insertAppointment(
  tx: Transaction,
  appointment: AppointmentsTable,
): Promise<void> {
  await insertRow(tx, 'appointments', appointment);
  const claim: ClaimsTable = {
    id: appointment.id,
    calendar: appointment.calendar,
    starts_at: appointment.starts_at,
    ends_at: appointment.ends_at,
    appointment_id: appointment.id,
  };
  await insertRow(tx, 'claims', claim);
}

/** Moves a pending appointment on; false when it was moved on before. */
export async function settlePending(
  tx: Transaction,
  id: string,
  change: Pick<AppointmentsTable, 'status' | 'updated_at'> &
    Partial<Pick<AppointmentsTable, 'google_event_id' | 'event_link' | 'meet_link' | 'failure'>>,
): Promise<boolean> {
  const written = await writeCompiled(
    tx,
    `settle ${Object.keys(change)}`,
    () =>
      tx
        .updateTable('appointments')
        .set(change)
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .compile(),
    [...Object.values(change), id, 'pending'],
  );
  return written > 0;
}

/** Frees the span that an appointment took. */
export async function deleteClaim(tx: Transaction, appointmentId: string): Promise<void> {
  await tx.deleteFrom('claims').where('appointment_id', '=', appointmentId).execute();
}
