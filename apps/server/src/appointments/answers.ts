import type { Appointment, EventCreated } from '@calhook/contract';
import { describeTime, formatDateTime } from '../availability/local-time.ts';
import type { AppointmentsTable } from '../db/index.ts';
import type { ManageLinks } from './manage-links.ts';

/** Appointments as callers see them. */
export class AppointmentAnswers {
  readonly #links: ManageLinks;

  constructor(links: ManageLinks) {
    this.#links = links;
  }

  /** The answer to who books. */
  created(row: AppointmentsTable, replayed: boolean): EventCreated {
    const { meet_link: meetLink } = row;
    return {
      success: true,
      appointmentId: row.id,
      eventId: row.google_event_id,
      eventLink: row.event_link,
      status: row.status,
      ...times(row),
      ...(meetLink ? { meetLink } : {}),
      manageUrl: this.#links.url(row.id),
      ...(replayed ? { replayed } : {}),
    };
  }

  /** The answer to who reads, lists or changes. */
  appointment(row: AppointmentsTable): Appointment {
    return {
      id: row.id,
      botId: row.client_id,
      status: row.status,
      customerName: row.customer_name,
      email: row.customer_email,
      phone: row.customer_phone,
      ...times(row),
      notes: row.notes,
      answers: JSON.parse(row.answers),
      eventId: row.google_event_id,
      eventLink: row.event_link,
      meetLink: row.meet_link,
      manageUrl: this.#links.url(row.id),
      inGoogle: row.status !== 'pending' && row.written_revision >= row.revision,
      conflictSince: row.conflict_since,
      failure: row.failure,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
  }
}

function times(row: AppointmentsTable): Pick<Appointment, 'start' | 'end' | 'timeZone' | 'when'> {
  const { time_zone: timeZone } = row;
  return {
    start: formatDateTime(row.starts_at, timeZone),
    end: formatDateTime(row.ends_at, timeZone),
    timeZone,
    when: describeTime(row.starts_at, timeZone, row.language),
  };
}
