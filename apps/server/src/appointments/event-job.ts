import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import type { AppointmentsTable, Database } from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import { type JobHandler, settle } from '../jobs/jobs.ts';
import { type EventWriter, eventJob } from './event-writer.ts';
import { mayPass, needsOwner } from './refusals.ts';
import { changeAppointment, findAppointment } from './store.ts';

/** How long to wait for an owner who has to connect again; doing so hastens the job. */
const ownerPauseMs = 30 * 60_000;

interface EventJobParts {
  readonly database: Database;
  readonly writer: EventWriter;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * The job behind every change of an appointment: what the request could not bring into Google is
 * brought there later, or what is in the way is shown on the appointment.
 */
export function eventJobHandler({ database, writer, now }: EventJobParts): JobHandler {
  /** Shows on the appointment why Google does not have it as it is. */
  const note = async (row: AppointmentsTable, failure: string): Promise<void> => {
    if (row.failure === failure) return;
    await database.transaction((tx) =>
      changeAppointment(tx, row, { failure, updated_at: row.updated_at }),
    );
  };

  /** Google will not have the change: the job ends, and people are told. */
  const giveUp = async (row: AppointmentsTable, reason: string): Promise<void> => {
    const at = now();
    await database.transaction(async (tx) => {
      if (!(await changeAppointment(tx, row, { failure: reason, updated_at: at }))) return;
      await settle(tx, eventJob, row.id);
      await recordActivity(tx, {
        at,
        botId: row.client_id,
        kind: 'appointment.not_in_google',
        subjectId: row.id,
        detail: { reason },
      });
    });
  };

  return async (job) => {
    try {
      await writer.write(job.key);
      return undefined;
    } catch (error) {
      const row = await findAppointment(database.read, null, job.key);
      if (!row) return undefined;
      const reason = reasonOf(error);
      if (reason === null) throw error;
      const over = row.ends_at <= now();
      if (over && row.status === 'pending') {
        await writer.fail(row, 'not_in_time');
        return undefined;
      }
      if (needsOwner(error)) {
        await note(row, reason);
        return { retryAt: now() + ownerPauseMs };
      }
      if (error instanceof GoogleError && mayPass(error)) {
        if (error.reason !== 'insert_may_be_under_way') await note(row, reason);
        throw error;
      }
      await (row.status === 'pending' ? writer.fail(row, reason) : giveUp(row, reason));
      return undefined;
    }
  };
}

/** The word for a failure that is part of the trade; null for a fault of this program. */
function reasonOf(error: unknown): string | null {
  if (error instanceof GoogleError) return error.reason;
  return error instanceof ApiError ? error.code : null;
}
