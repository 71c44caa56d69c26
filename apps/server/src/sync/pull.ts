import type { AccessTokens } from '../connections/access-tokens.ts';
import { type Connection, calendarKey } from '../connections/connection.ts';
import {
  type CalendarEvent,
  type EventsPage,
  type EventsQuery,
  type GoogleCalendar,
  GoogleError,
  withRetry,
} from '../google/index.ts';
import { isOfSeries, type ReadEvent, readEvent, type Span } from './busy-spans.ts';
import type { ExpectedEvent, MirrorListener } from './listener.ts';

/** Longest wait for one page, in milliseconds. */
const pageTimeoutMs = 8_000;
/** 2,500 events each. A calendar with more is refused: it would be read for minutes. */
const maxPages = 40;

/** The part of a budget within which a call is repeated: the rest lets callers hear why it failed. */
const retryShare = 0.8;

export interface PullParts {
  readonly accessTokens: AccessTokens;
  readonly calendar: GoogleCalendar;
  readonly listener: MirrorListener;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** From where a pull can go on. */
export interface Position {
  readonly syncToken: string;
  readonly timeZone: string | null;
  /** What was pulled so far. */
  readonly window: Span;
}

/** What a pull brought. */
export interface Pulled {
  /** Whether it is everything in the window, or only what changed since the position. */
  readonly complete: boolean;
  readonly window: Span;
  readonly events: readonly ReadEvent[];
  /** What must be among the events, when it is everything. */
  readonly expected: readonly ExpectedEvent[];
  readonly timeZone: string | null;
  /** null: Google gave none; the next pull begins anew. */
  readonly syncToken: string | null;
  /** When the list began: what was in the calendar then is in it. */
  readonly checkedAt: number;
}

/** Lists a calendar, page by page. */
export class EventLists {
  readonly #parts: PullParts;

  constructor(parts: PullParts) {
    this.#parts = parts;
  }

  /** Everything in the window. @throws {GoogleError} {@link AccessTokens.use} */
  async all(connection: Connection, window: Span, budgetMs: number): Promise<Pulled> {
    const expected = await this.#parts.listener.expectedEvents(calendarKey(connection), window);
    const events: ReadEvent[] = [];
    const query = { from: window.startsAt, to: window.endsAt };
    const end = await this.#pages(connection, query, budgetMs, async ({ items, timeZone }) => {
      for (const item of items) events.push(readEvent(item, timeZone));
      return true;
    });
    if (end === null) throw refused('calendar_too_large');
    return { complete: true, window, events, expected, ...end };
  }

  /**
   * What changed since a position; null when that has to be found out by listing everything: the
   * position is too old, the zone of the calendar changed (all-day events moved without a change of
   * their own), or a series is touched, which Google does not tell in full ({@link isOfSeries}).
   *
   * @param holdsSeries whether one of these events is a series that spans are known of
   * @throws {GoogleError} {@link AccessTokens.use}
   */
  async changes(
    connection: Connection,
    position: Position,
    budgetMs: number,
    holdsSeries: (eventIds: readonly string[]) => Promise<boolean>,
  ): Promise<Pulled | null> {
    const events: ReadEvent[] = [];
    const take = async ({ items, timeZone }: EventsPage) => {
      if (timeZone !== position.timeZone) return false;
      const read = items.map((item: CalendarEvent) => readEvent(item, timeZone));
      events.push(...read);
      const gone = read.filter(({ cancelled }) => cancelled).map(({ eventId }) => eventId);
      return !read.some(isOfSeries) && !(gone.length > 0 && (await holdsSeries(gone)));
    };
    const { syncToken } = position;
    try {
      const end = await this.#pages(connection, { syncToken }, budgetMs, take);
      return end && { complete: false, window: position.window, events, expected: [], ...end };
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      // 410 fullSyncRequired; what never was a token may be 400 (facts/google.md §2, Sync; §8).
      if (error.status === 410 || error.status === 400) return null;
      throw error;
    }
  }

  /** Hands every page to `take`, in order; null when it wants no more, or there are too many. */
  async #pages(
    connection: Connection,
    query: EventsQuery,
    budgetMs: number,
    take: (page: EventsPage) => Promise<boolean>,
  ): Promise<Pick<Pulled, 'timeZone' | 'syncToken' | 'checkedAt'> | null> {
    const { accessTokens, calendar, now } = this.#parts;
    const retry = { budgetMs: budgetMs * retryShare, firstPauseMs: 100, maxPauseMs: 1_000 };
    let checkedAt = now();
    let pageToken: string | null = null;
    for (let pages = 0; pages < maxPages; pages++) {
      const after: string | null = pageToken;
      const page: EventsPage = await withRetry(retry, (leftMs) =>
        accessTokens.use(
          connection,
          (accessToken): Promise<EventsPage> => {
            if (after === null) checkedAt = now();
            const { calendarId } = connection;
            return calendar.listEvents(accessToken, calendarId, query, after, pageTimeoutMs);
          },
          leftMs,
        ),
      );
      if (!(await take(page))) return null;
      pageToken = page.nextPageToken;
      if (pageToken === null) {
        return { timeZone: page.timeZone, syncToken: page.nextSyncToken, checkedAt };
      }
    }
    return null;
  }
}

function refused(reason: string): GoogleError {
  return new GoogleError('events.list', { kind: 'refused', status: null, reason });
}
