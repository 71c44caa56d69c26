import type { ReadEvent, Span } from './busy-spans.ts';
import { Recent } from './recent.ts';

/** An event of an appointment, as this process wrote it last. */
interface WrittenEvent {
  /** null: it is being inserted, and Google has not answered yet. */
  readonly etag: string | null;
  /** Where it was inserted; null: it has been written again since. */
  readonly inserted: Span | null;
}

const maxWritten = 10_000;

/**
 * What this process knows of the events that it writes: a pull that brings one in the state in which
 * it was written brings nothing new, and need not be stored.
 */
export class WrittenEvents {
  readonly #written = new Recent<WrittenEvent>(maxWritten);

  /**
   * An event is about to be inserted; a pull may bring it before the answer to the insert. To be
   * followed by {@link note}.
   */
  inserting(eventId: string, at: Span): void {
    this.#written.set(eventId, { etag: null, inserted: at });
  }

  /** @param etag what Google answered the write with; null: it is not known what it has now */
  note(eventId: string, etag: string | null): void {
    const before = this.#written.get(eventId);
    const inserted = before?.etag === null ? before.inserted : null;
    if (etag === null) this.#written.delete(eventId);
    else this.#written.set(eventId, { etag, inserted });
  }

  /**
   * Whether events are all as they were written. If so, those that were written more than once are
   * told: an edit of the owner in between may have left a span, which has to go.
   */
  compare(events: readonly ReadEvent[]): 'news' | readonly string[] {
    const rewritten: string[] = [];
    for (const event of events) {
      const known = this.#written.get(event.eventId);
      if (!known || !isAsWritten(event, known)) return 'news';
      if (!known.inserted) rewritten.push(event.eventId);
    }
    return rewritten;
  }
}

function isAsWritten(event: ReadEvent, { etag, inserted }: WrittenEvent): boolean {
  if (event.cancelled || event.appointmentId === null) return false;
  if (etag !== null) return event.etag === etag;
  return event.span?.startsAt === inserted?.startsAt && event.span?.endsAt === inserted?.endsAt;
}
