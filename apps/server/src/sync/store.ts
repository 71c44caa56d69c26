import { sql } from 'kysely';
import type { BusySpansTable, CalendarsTable, Database, Transaction } from '../db/index.ts';

/** Spans that last longer, in milliseconds, are searched apart from the others. */
const longMs = 48 * 3_600_000;
/** Rows of one statement; SQLite takes 32,766 parameters. */
const chunk = 500;

/** A busy span as it is stored. */
export type StoredSpan = Omit<BusySpansTable, 'calendar' | 'is_long'>;

type Reader = Database['read'];

/** Finds the row of a calendar; compiled once, since every pull begins with it. */
export function calendarFinder(
  database: Database,
): (calendar: string) => Promise<CalendarsTable | undefined> {
  const query = database.read
    .selectFrom('calendars')
    .selectAll()
    .where('calendar', '=', '')
    .compile();
  return async (calendar) => {
    const compiled: typeof query = { ...query, parameters: [calendar] };
    return (await database.read.executeQuery<CalendarsTable>(compiled)).rows[0];
  };
}

/** A calendar with all its spans, by one statement: both are of the same moment. */
export async function loadMirror(
  reader: Reader,
  calendar: string,
): Promise<{ readonly row: CalendarsTable; readonly spans: StoredSpan[] } | undefined> {
  const rows = await reader
    .selectFrom('calendars')
    .leftJoin('busy_spans', 'busy_spans.calendar', 'calendars.calendar')
    .selectAll('calendars')
    .select(['event_id', 'starts_at', 'ends_at', 'series_id', 'appointment_id'])
    .where('calendars.calendar', '=', calendar)
    .orderBy('starts_at')
    .execute();
  const [row] = rows;
  if (!row) return undefined;
  const spans = rows.filter((each) => each.event_id !== null);
  return { row, spans: spans as typeof spans & StoredSpan[] };
}

interface Overlap {
  readonly window_start: number;
  readonly window_end: number;
  /** 0 and 1, or false and true. */
  readonly busy: number | boolean;
}

/** Finds whether a calendar is busy in a span, as a transaction sees it; compiled once. */
export function overlapFinder(
  database: Database,
): (
  tx: Transaction,
  calendar: string,
  from: number,
  to: number,
  exceptEventId: string,
) => Promise<Overlap | undefined> {
  const statement = (calendar: string, from: number, to: number, except: string) => {
    const among = sql`from busy_spans where calendar = ${calendar}
      and starts_at < ${to} and ends_at > ${from}
      and event_id <> ${except}`;
    return sql<Overlap>`select window_start, window_end,
      exists (select 1 ${among} and is_long = 0 and starts_at > ${from - longMs})
      or exists (select 1 ${among} and is_long = 1) as busy
      from calendars where calendar = ${calendar}`;
  };
  const query = statement('', 0, 0, '').compile(database.read);
  return async (tx, calendar, from, to, except) => {
    const among = [calendar, to, from, except];
    const parameters = [...among, from - longMs, ...among, calendar];
    return (await tx.executeQuery<Overlap>({ ...query, parameters } as typeof query)).rows[0];
  };
}

/**
 * Whether spans are stored of some of these events.
 *
 * @param kind `series`: of those that are a series, by its id, or an occurrence of one
 */
export async function holdsSpans(
  reader: Reader,
  calendar: string,
  eventIds: readonly string[],
  kind: 'any' | 'series',
): Promise<boolean> {
  const spans = reader.selectFrom('busy_spans').select('event_id').where('calendar', '=', calendar);
  const ofSeries = spans.where('series_id', 'is not', null);
  for (const ids of chunks(eventIds)) {
    const found =
      kind === 'any'
        ? spans.where('event_id', 'in', ids)
        : ofSeries.where((eb) => eb.or([eb('series_id', 'in', ids), eb('event_id', 'in', ids)]));
    if (await found.limit(1).executeTakeFirst()) return true;
  }
  return false;
}

/** Spans of some events of a calendar; null: of all. */
export async function findSpans(
  tx: Transaction,
  calendar: string,
  eventIds: readonly string[] | null,
): Promise<StoredSpan[]> {
  const spans = tx
    .selectFrom('busy_spans')
    .select(['event_id', 'starts_at', 'ends_at', 'series_id', 'appointment_id'])
    .where('calendar', '=', calendar);
  if (eventIds === null) return spans.execute();
  const found: StoredSpan[] = [];
  for (const ids of chunks(eventIds)) {
    found.push(...(await spans.where('event_id', 'in', ids).execute()));
  }
  return found;
}

/** Removes the spans of some events, and stores others. */
export async function replaceSpans(
  tx: Transaction,
  calendar: string,
  removed: readonly string[],
  added: readonly StoredSpan[],
): Promise<void> {
  for (const ids of chunks(removed)) {
    await tx
      .deleteFrom('busy_spans')
      .where('calendar', '=', calendar)
      .where('event_id', 'in', ids)
      .execute();
  }
  for (const spans of chunks(added)) {
    const rows = spans.map((span) => ({
      ...span,
      calendar,
      is_long: span.ends_at - span.starts_at > longMs ? 1 : 0,
    }));
    await tx.insertInto('busy_spans').values(rows).execute();
  }
}

/**
 * Stores where a calendar stands, if it still is at `version`; null: if it is not stored yet.
 *
 * @returns false when somebody else was faster
 */
export async function putCalendar(
  tx: Transaction,
  version: number | null,
  row: CalendarsTable,
): Promise<boolean> {
  if (version === null) {
    const inserted = await tx
      .insertInto('calendars')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
  }
  const { calendar, ...change } = row;
  return changeCalendar(tx, calendar, version, change);
}

/** Makes pulls that were built on the calendar as it is now begin again. */
export async function outdateCalendar(tx: Transaction, calendar: string): Promise<void> {
  await tx
    .updateTable('calendars')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('calendar', '=', calendar)
    .execute();
}

/** Changes the row of a calendar that is at `version`; false when it no longer is. */
export async function changeCalendar(
  tx: Transaction,
  calendar: string,
  version: number,
  change: Partial<CalendarsTable>,
): Promise<boolean> {
  const updated = await tx
    .updateTable('calendars')
    .set(change)
    .where('calendar', '=', calendar)
    .where('version', '=', version)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/** Notes that a calendar could not be pulled. */
export async function noteFailure(
  tx: Transaction,
  calendar: string,
  failure: string,
  dueAt: number | null,
): Promise<void> {
  await tx
    .updateTable('calendars')
    .set((eb) => ({ failures: eb('failures', '+', 1), failure, due_at: dueAt }))
    .where('calendar', '=', calendar)
    .execute();
}

/** Sets when a calendar is polled next; null: not before somebody asks. */
export async function setDue(
  tx: Transaction,
  calendar: string,
  dueAt: number | null,
): Promise<void> {
  await tx
    .updateTable('calendars')
    .set({ due_at: dueAt })
    .where('calendar', '=', calendar)
    .execute();
}

/** Forgets a calendar with its spans. */
export async function deleteCalendar(tx: Transaction, calendar: string): Promise<void> {
  await tx.deleteFrom('calendars').where('calendar', '=', calendar).execute();
}

/**
 * Takes calendars that are to be polled, the longest due first: nobody else takes them before
 * `leasedUntil`.
 */
export async function takeDue(
  tx: Transaction,
  now: number,
  leasedUntil: number,
  limit: number,
): Promise<string[]> {
  const due = await tx
    .selectFrom('calendars')
    .select(['calendar', 'due_at'])
    .where('due_at', 'is not', null)
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .limit(limit)
    .execute();
  const taken: string[] = [];
  for (const { calendar, due_at: dueAt } of due) {
    const updated = await tx
      .updateTable('calendars')
      .set({ due_at: leasedUntil })
      .where('calendar', '=', calendar)
      .where('due_at', '=', dueAt)
      .executeTakeFirst();
    if (updated.numUpdatedRows > 0n) taken.push(calendar);
  }
  return taken;
}

function* chunks<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += chunk) yield all.slice(at, at + chunk);
}
