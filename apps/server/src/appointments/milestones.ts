import { channel } from 'node:diagnostics_channel';

/**
 * The steps between a request and its answer at which a process may die. Whoever listens hears
 * them in order; the crash test kills the process at each.
 */
export type Milestone =
  /** The owner's calendar was read. */
  | 'calendar-read'
  /** The appointment, its claim and its job are on disk. */
  | 'stored'
  /** The call to Google is about to be made. */
  | 'event-sending'
  /** Google answered. */
  | 'event-written'
  /** That it did is on disk. */
  | 'event-recorded'
  /** The answer is about to be sent. */
  | 'answering';

const milestones = channel('calhook:appointment');

/** Tells who listens, if anybody, that an appointment has come this far. */
export function reached(milestone: Milestone, subject: string): void {
  if (milestones.hasSubscribers) milestones.publish({ milestone, subject });
}
