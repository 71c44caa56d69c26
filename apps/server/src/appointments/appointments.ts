import type { Appointment } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { formatDateTime } from '../availability/local-time.ts';
import type { AppointmentsTable, Database } from '../db/index.ts';
import { couldBeId } from '../identifiers.ts';
import { findAppointment, listAppointments } from './store.ts';

function toAppointment(row: AppointmentsTable): Appointment {
  return {
    id: row.id,
    botId: row.client_id,
    status: row.status,
    customerName: row.customer_name,
    email: row.customer_email,
    phone: row.customer_phone,
    start: formatDateTime(row.starts_at, row.time_zone),
    end: formatDateTime(row.ends_at, row.time_zone),
    timeZone: row.time_zone,
    notes: row.notes,
    answers: JSON.parse(row.answers),
    eventId: row.google_event_id,
    eventLink: row.event_link,
    failure: row.failure,
    createdAt: row.created_at,
  };
}

/** @throws {ApiError} `appointment_not_found` */
export async function getAppointment(
  database: Database,
  botId: string,
  id: string,
): Promise<Appointment> {
  const row = couldBeId(id) ? await findAppointment(database, botId, id) : undefined;
  if (!row) throw new ApiError('appointment_not_found');
  return toAppointment(row);
}

/** One page of a bot's appointments, newest first. */
export async function pageOfAppointments(
  database: Database,
  botId: string,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<{ appointments: Appointment[]; nextCursor: string | null }> {
  const rows = await listAppointments(database, {
    botId,
    beforeId: page.cursor ?? null,
    limit: page.limit + 1,
  });
  const appointments = rows.slice(0, page.limit).map(toAppointment);
  const nextCursor = rows.length > page.limit ? (appointments.at(-1)?.id ?? null) : null;
  return { appointments, nextCursor };
}
