import { ApiError } from '../api-error.ts';
import type { AppointmentsTable, Database } from '../db/index.ts';
import { couldBeId } from '../identifiers.ts';
import { findAppointment, listAppointments } from './store.ts';

/** @throws {ApiError} `appointment_not_found` */
export async function getAppointment(
  database: Database,
  botId: string,
  id: string,
): Promise<AppointmentsTable> {
  const row = couldBeId(id) ? await findAppointment(database.read, botId, id) : undefined;
  if (!row) throw new ApiError('appointment_not_found');
  return row;
}

/** One page of a bot's appointments, newest first. */
export async function pageOfAppointments(
  database: Database,
  botId: string,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<{ appointments: AppointmentsTable[]; nextCursor: string | null }> {
  const rows = await listAppointments(database, {
    botId,
    beforeId: page.cursor ?? null,
    limit: page.limit + 1,
  });
  const appointments = rows.slice(0, page.limit);
  const nextCursor = rows.length > page.limit ? (appointments.at(-1)?.id ?? null) : null;
  return { appointments, nextCursor };
}
