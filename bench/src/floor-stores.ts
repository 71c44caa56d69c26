import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { recordActivity } from '../../apps/server/src/activity/activity.ts';
import { insertClaim, sweepHolds } from '../../apps/server/src/appointments/claim-store.ts';
import { eventJob, jobGraceMs } from '../../apps/server/src/appointments/event-writer.ts';
import {
  changeAppointment,
  findByNaturalKey,
  insertAppointment,
} from '../../apps/server/src/appointments/store.ts';
import { openDatabase } from '../../apps/server/src/db/index.ts';
import { enqueue, settle } from '../../apps/server/src/jobs/jobs.ts';
import { calendarFinder, overlapFinder } from '../../apps/server/src/sync/store.ts';

/** What the floor stores of a booking. */
interface FloorBooking {
  readonly id: string;
  readonly bot: string;
  /** The request as it came. */
  readonly body: string;
  /** Epoch milliseconds. */
  readonly startsAt: number;
  readonly endsAt: number;
}

/** Where the floor stores bookings; both writes are durable when they resolve. */
export interface FloorStore {
  /** Stores a pending booking and claims its time. */
  claim(booking: FloorBooking): Promise<void>;
  /** Notes that Google has it. */
  confirm(booking: FloorBooking, htmlLink: string): Promise<void>;
}

/** The least: four tables with nothing in them that could be left out, and bare statements. */
export function leastStore(directory: string): FloorStore {
  const db = new DatabaseSync(join(directory, 'floor.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000');
  db.exec(`
    create table appointments (
      id text primary key, bot text, booking text, status text, starts_at integer
    ) strict, without rowid;
    create table claims (
      bot text, starts_at integer, ends_at integer, appointment text, primary key (bot, starts_at)
    ) strict, without rowid;
    create table jobs (key text primary key, due_at integer) strict, without rowid;
    create table activity (
      bot text, id text, kind text, primary key (bot, id)
    ) strict, without rowid;
  `);
  const insertPending = db.prepare("insert into appointments values (?, ?, ?, 'pending', ?)");
  const latestClaim = db.prepare(
    'select ends_at from claims where bot = ? and starts_at < ? order by starts_at desc limit 1',
  );
  const claim = db.prepare('insert into claims values (?, ?, ?, ?)');
  const insertJob = db.prepare('insert into jobs values (?, ?)');
  const confirm = db.prepare("update appointments set status = 'confirmed' where id = ?");
  const deleteJob = db.prepare('delete from jobs where key = ?');
  const insertActivity = db.prepare("insert into activity values (?, ?, 'appointment.confirmed')");
  const commit = groupCommit(db);
  return {
    claim: ({ id, bot, body, startsAt, endsAt }) =>
      commit(() => {
        const latest = latestClaim.get(bot, endsAt);
        if (latest && Number(latest.ends_at) > startsAt) throw new Error('taken');
        insertPending.run(id, bot, body, startsAt);
        claim.run(bot, startsAt, endsAt, id);
        insertJob.run(id, Date.now());
      }),
    confirm: ({ id, bot }) =>
      commit(() => {
        confirm.run(id);
        deleteJob.run(id);
        insertActivity.run(bot, id);
      }),
  };
}

/** Commits what is written in the same turns of the event loop together. */
function groupCommit(db: DatabaseSync): (write: () => void) => Promise<void> {
  const waiting: { write(): void; written(): void }[] = [];
  let committing = false;
  const commitAll = async () => {
    committing = true;
    while (waiting.length > 0) {
      for (let before = 0; before < waiting.length; ) {
        before = waiting.length;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      const group = waiting.splice(0);
      db.exec('begin immediate');
      for (const { write } of group) write();
      db.exec('commit');
      for (const { written } of group) written();
    }
    committing = false;
  };
  return (write) =>
    new Promise((written) => {
      waiting.push({ write, written });
      if (!committing) void commitAll();
    });
}

/**
 * Calhook's tables, read and written by the statements of a booking, with its database code and
 * nothing of what leads to them.
 */
export async function calhookStore(
  directory: string,
  bots: readonly string[],
): Promise<FloorStore> {
  const database = await openDatabase(`sqlite:${join(directory, 'floor-calhook.db')}`);
  const findCalendar = calendarFinder(database);
  const findOverlap = overlapFinder(database);
  const now = Date.now();
  const bot = { time_zone: 'UTC', duration_minutes: 30, language: 'en', weekly_hours: null };
  const made = { created_at: now, updated_at: now };
  const window = { window_start: 0, window_end: Number.MAX_SAFE_INTEGER };
  await database.transaction(async (tx) => {
    for (const id of bots) {
      const texts = { name: id, rules: '{}', allowed_origins: '[]' };
      await tx
        .insertInto('bots')
        .values({ id, ...bot, ...texts, ...made })
        .execute();
      const pulled = { version: 1, checked_at: now, full_pulled_at: now, failures: 0 };
      await tx
        .insertInto('calendars')
        .values({ calendar: calendarOf(id), ...pulled, ...window })
        .execute();
    }
  });
  return {
    async claim({ id, bot: botId, body, startsAt, endsAt }) {
      const calendar = calendarOf(botId);
      const { customerName, email, phone, date, time, notes } = JSON.parse(body);
      await findByNaturalKey(database, { botId, email, startsAt });
      await findCalendar(calendar);
      const at = Date.now();
      await database.transaction(async (tx) => {
        await sweepHolds(tx, calendar, at);
        await insertAppointment(tx, {
          id,
          client_id: botId,
          customer_name: customerName,
          customer_email: email,
          customer_phone: phone,
          appointment_date: date,
          appointment_time: time,
          status: 'pending',
          google_event_id: null,
          created_at: at,
          time_zone: 'UTC',
          starts_at: startsAt,
          ends_at: endsAt,
          notes: notes ?? null,
          answers: '{}',
          calendar,
          event_link: null,
          meet_link: null,
          failure: null,
          updated_at: at,
          language: 'en',
          revision: 1,
          written_revision: 0,
          unverified: 0,
          etag: null,
          conflict_since: null,
          cancelled_by: null,
        });
        await insertClaim(tx, {
          id,
          calendar,
          client_id: botId,
          starts_at: startsAt,
          ends_at: endsAt,
          booked_start: startsAt,
          booked_end: endsAt,
          appointment_id: id,
          created_at: at,
          expires_at: null,
        });
        const dueAt = at + jobGraceMs;
        await enqueue(tx, { kind: eventJob, key: id, lane: calendar, botId, dueAt });
        await findOverlap(tx, calendar, startsAt, endsAt, '');
      });
    },
    async confirm({ id, bot: botId }, htmlLink) {
      const at = Date.now();
      await database.transaction(async (tx) => {
        const before = { id, status: 'pending', revision: 1 } as const;
        await changeAppointment(tx, before, {
          google_event_id: id,
          event_link: htmlLink,
          status: 'confirmed',
          written_revision: 1,
          updated_at: at,
        });
        await settle(tx, eventJob, id);
        await recordActivity(tx, { at, botId, kind: 'appointment.confirmed', subjectId: id });
      });
    },
  };
}

const calendarOf = (bot: string) => `${bot}/primary`;
