import type { CalendarsTable, Database, Transaction } from '../db/index.ts';
import type { ReadEvent, Span } from './busy-spans.ts';
import type { BusySpan, MirrorListener } from './listener.ts';
import type { Pulled } from './pull.ts';
import { findSpans, putCalendar, replaceSpans, type StoredSpan } from './store.ts';

/** A pull to be stored, and what it was built on. */
export interface Keepable {
  /** The row that it was built on; undefined: there was none. */
  readonly stored: CalendarsTable | undefined;
  /** The row that takes its place. */
  readonly row: CalendarsTable;
  readonly pulled: Pulled;
}

/**
 * Stores a pull: its spans, where the next one goes on, and what the listener makes of it, all in
 * one transaction, and only on the state that it was built on.
 *
 * @returns what to call after the commit; null when somebody else was faster
 */
export async function keepPull(
  parts: { readonly database: Database; readonly listener: MirrorListener },
  tx: Transaction,
  { stored, row, pulled }: Keepable,
): Promise<{ readonly committed: () => void } | null> {
  const { database, listener } = parts;
  const { calendar } = row;
  if (!(await putCalendar(tx, stored?.version ?? null, row))) return null;
  // A new busy span and a new claim over it never pass each other unseen.
  await tx.lock(calendar);
  const { complete, window, expected } = pulled;
  const events = new Map(pulled.events.map((event) => [event.eventId, event]));
  const before = await findSpans(tx, calendar, complete ? null : [...events.keys()]);

  const foreign = new Set(before.filter((s) => s.appointment_id === null).map((s) => s.event_id));
  const own = [...events.values()].filter(
    (event) => event.appointmentId !== null || (event.cancelled && !foreign.has(event.eventId)),
  );
  const missing = expected.filter(({ eventId }) => !events.has(eventId));
  const followed =
    own.length > 0 || missing.length > 0
      ? await listener.ownEvents(tx, { calendar, events: own, missing })
      : { keep: new Set<string>() };
  const { changed: changedAppointments = new Set<string>() } = followed;

  const after = new Map<string, StoredSpan>();
  for (const event of events.values()) {
    const span = spanToKeep(event, window, followed.keep);
    if (span) after.set(event.eventId, span);
  }
  const vanished = before.filter((span) => !isSame(span, after.get(span.event_id)));
  const known = new Map(before.map((span) => [span.event_id, span]));
  const appeared = [...after.values()].filter((span) => !isSame(span, known.get(span.event_id)));
  const changed = appeared.length + vanished.length > 0;
  if (changed) {
    const removed = vanished.map(({ event_id: eventId }) => eventId);
    await replaceSpans(tx, calendar, removed, appeared);
  }
  if (changed || changedAppointments.size > 0) {
    await listener.busyChanged(tx, {
      calendar,
      appeared: appeared.map(toBusySpan),
      vanished: vanished.map(toBusySpan),
      changedAppointments,
    });
  }
  const announced = changed || complete;
  if (announced) await database.changes.announce(tx, 'calendar', calendar);
  return {
    committed() {
      if (announced) database.changes.deliver('calendar', calendar);
      followed.committed?.();
    },
  };
}

/** The span of an event that keeps the owner from anything else, if it does and touches the window. */
function spanToKeep(event: ReadEvent, window: Span, keep: ReadonlySet<string>): StoredSpan | null {
  const { busy, span, eventId, seriesId, appointmentId } = event;
  if (!busy || span === null) return null;
  if (span.endsAt <= window.startsAt || span.startsAt >= window.endsAt) return null;
  if (appointmentId !== null && !keep.has(eventId)) return null;
  return {
    event_id: eventId,
    starts_at: span.startsAt,
    ends_at: span.endsAt,
    series_id: seriesId,
    appointment_id: appointmentId,
  };
}

function isSame(a: StoredSpan, b: StoredSpan | undefined): boolean {
  return (
    b !== undefined &&
    a.starts_at === b.starts_at &&
    a.ends_at === b.ends_at &&
    a.series_id === b.series_id &&
    a.appointment_id === b.appointment_id
  );
}

export function toBusySpan(span: StoredSpan): BusySpan {
  return {
    eventId: span.event_id,
    startsAt: span.starts_at,
    endsAt: span.ends_at,
    appointmentId: span.appointment_id,
  };
}
