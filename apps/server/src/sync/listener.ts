import type { Transaction } from '../db/index.ts';
import type { ReadEvent, Span } from './busy-spans.ts';

/** A time in which a calendar is busy, and by which event. */
export interface BusySpan extends Span {
  readonly eventId: string;
  /** The appointment whose event it is, when no claim holds its time. */
  readonly appointmentId: string | null;
}

/** What a pull tells of the appointments' own events. */
export interface OwnEvents {
  /** `<google_sub>/<calendar_id>` */
  readonly calendar: string;
  /**
   * Events that are marked with an appointment, and deleted ones that no longer tell whether they
   * were. An appointment may turn up under another event id: a copy that the owner made, or an
   * occurrence after the owner made a series of it.
   */
  readonly events: readonly ReadEvent[];
  /**
   * Set when all of the calendar's events in this window were listed: an event that should be in it
   * and is not among `events` is gone, or out of the window. Only what was in the calendar before
   * `checkedAt` can be missed so.
   */
  readonly complete: Span | null;
  /** When the list began, in epoch milliseconds. */
  readonly checkedAt: number;
}

/** What the room above does with a pull, inside the pull's transaction. */
export interface MirrorListener {
  /**
   * Lets appointments follow what the owner did with their events.
   *
   * @returns the ids of events whose time no claim holds, so that the mirror must
   */
  ownEvents(tx: Transaction, own: OwnEvents): Promise<FollowedEvents>;
  /** What a pull changed: spans that the owner's events take, and appointments that followed theirs. */
  busyChanged(tx: Transaction, changed: BusyChange): Promise<void>;
}

export interface FollowedEvents {
  readonly keep: ReadonlySet<string>;
  /** The appointments that were changed. */
  readonly changed?: ReadonlySet<string>;
  /** Called once the transaction is durable. */
  readonly committed?: () => void;
}

export interface BusyChange {
  readonly calendar: string;
  readonly appeared: readonly BusySpan[];
  readonly vanished: readonly BusySpan[];
  readonly changedAppointments: ReadonlySet<string>;
}
