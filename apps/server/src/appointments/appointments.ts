import { ApiError } from '../api-error.ts';
import type { AppointmentsTable, Database } from '../db/index.ts';
import { couldBeId } from '../identifiers.ts';
import { findAppointment } from './store.ts';

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
