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
   * When all of the calendar was listed, the events that were expected in it and are not there: they
   * are gone, or out of the window.
   */
  readonly missing: readonly ExpectedEvent[];
}

/** An event that Google had before a list of the whole calendar began. */
export interface ExpectedEvent {
  readonly eventId: string;
  readonly appointmentId: string;
  /** The state of the appointment that the event is in. */
  readonly revision: number;
}

/** What the room above does with a pull, inside the pull's transaction. */
export interface MirrorListener {
  /**
   * Which events of appointments a list of all within a window must bring. It is read before the
   * list begins, since no two clocks agree on what came first.
   */
  expectedEvents(calendar: string, window: Span): Promise<readonly ExpectedEvent[]>;
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
