import { ApiError } from '../api-error.ts';
import { type Connection, calendarKey } from '../connections/connection.ts';
import {
  BoundedMap,
  CachedLookup,
  type CalendarsTable,
  type Database,
  type Transaction,
} from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import type { Logger } from '../logger.ts';
import { BusyList } from './busy-list.ts';
import type { ReadEvent } from './busy-spans.ts';
import { Flights, within } from './flights.ts';
import { keepPull, toBusySpan } from './keeping.ts';
import type { BusySpan } from './listener.ts';
import { EventLists, type Pulled, type PullParts } from './pull.ts';
import { Recent } from './recent.ts';
import { isNoteworthy, nextPoll, pollAfterFailure } from './schedule.ts';
import {
  calendarFinder,
  changeCalendar,
  deleteCalendar,
  holdsSpans,
  loadMirror,
  noteFailure,
  outdateCalendar,
  overlapFinder,
} from './store.ts';
import { NotMirrored, needsFullPull, reaches, windowFor } from './window.ts';
import { WrittenEvents } from './written-events.ts';

export interface MirrorParts extends PullParts {
  readonly database: Database;
  readonly log: Logger;
}

/** What a caller wants of a pull. */
export interface PullWish {
  /** How long the caller waits, in milliseconds. */
  readonly budgetMs: number;
  /** How far ahead the mirror must reach afterwards, in epoch milliseconds; default: now. */
  readonly until?: number;
}

/** How current an answer is. */
export interface Freshness {
  /** The calendar is known as it was then, in epoch milliseconds. */
  readonly checkedAt: number;
  /** Whether Google was asked for this answer. */
  readonly source: 'mirror' | 'google';
}

/** Where this process stands with a calendar; newer than the row when nothing changed since. */
interface Standing {
  readonly version: number;
  readonly syncToken: string | null;
  readonly checkedAt: number;
}

/** How often a pull begins again because another process was faster. */
const maxRedos = 5;
const maxCachedCalendars = 10_000;
const maxStandings = 100_000;

/**
 * The local copy of when calendars are busy (design §6, Book and Follow).
 *
 * A calendar that cannot be read is an error, never free; a span that was not pulled is one, too.
 */
export class Mirror {
  /** Who writes events of appointments tells here. */
  readonly written = new WrittenEvents();
  readonly #parts: MirrorParts;
  readonly #lists: EventLists;
  readonly #known: CachedLookup<BusyList>;
  readonly #find: ReturnType<typeof calendarFinder>;
  readonly #findOverlap: ReturnType<typeof overlapFinder>;
  readonly #standings = new Recent<Standing>(maxStandings);
  readonly #flights = new Flights<Required<PullWish>, number>((a, b) => ({
    budgetMs: Math.max(a.budgetMs, b.budgetMs),
    until: Math.max(a.until, b.until),
  }));

  constructor(parts: MirrorParts) {
    this.#parts = parts;
    this.#lists = new EventLists(parts);
    this.#find = calendarFinder(parts.database);
    this.#findOverlap = overlapFinder(parts.database);
    this.#known = new CachedLookup({
      changes: parts.database.changes,
      topics: ['calendar'],
      memory: new BoundedMap(maxCachedCalendars),
      load: async (calendar) => {
        const loaded = await loadMirror(parts.database.read, calendar);
        return loaded && new BusyList(loaded.row, loaded.spans.map(toBusySpan));
      },
    });
  }

  /**
   * Brings the mirror of the connection's calendar up to date by a pull that begins after this
   * call. For another calendar of the account, give the connection with that `calendarId`.
   *
   * A pull that takes longer than the budget goes on, for the callers after this one.
   *
   * @throws {GoogleError} whatever the pull ended with; kind `transient` when the budget is over
   * @throws {ApiError} `calendar_not_connected` when the connection is gone
   */
  async pull(connection: Connection, wish: PullWish): Promise<{ readonly checkedAt: number }> {
    const full = { until: this.#parts.now(), ...wish };
    const flight = this.#flights.join(calendarKey(connection), full, (shared) =>
      this.#pull(connection, shared),
    );
    const late = () =>
      new GoogleError('events.list', {
        kind: 'transient',
        status: null,
        reason: 'pull_under_way',
      });
    // The one under way, and then the caller's own: each has the budget.
    return { checkedAt: await within(flight, 2 * wish.budgetMs, late) };
  }

  /** As {@link pull}, unless the calendar was pulled in the last `maxAgeMs` and far enough ahead. */
  async ensureFresh(
    connection: Connection,
    wish: PullWish & { readonly maxAgeMs: number },
  ): Promise<Freshness> {
    const calendar = calendarKey(connection);
    const now = this.#parts.now();
    const list = await this.#current(calendar);
    if (list && reaches(list.row, wish.until ?? now)) {
      const checkedAt = this.#checkedAt(list.row);
      if (now - checkedAt <= wish.maxAgeMs) return { checkedAt, source: 'mirror' };
    }
    return { ...(await this.pull(connection, wish)), source: 'google' };
  }

  /**
   * The busy spans of a calendar that overlap `[from, to)`, as of the last pull.
   *
   * @throws {NotMirrored} when the mirror does not hold all of it
   */
  async busy(calendar: string, from: number, to: number): Promise<BusySpan[]> {
    const list = await this.#current(calendar);
    if (!list) throw new NotMirrored(calendar, { startsAt: from, endsAt: to });
    return list.overlapping(from, to);
  }

  /**
   * Whether the calendar is busy in `[from, to)`, as the transaction sees it. A booking asks after
   * it has claimed the span: from then on no pull puts an event there unseen.
   *
   * @param exceptEventId an event that is in nobody's way
   * @throws {NotMirrored} when the mirror does not hold all of it
   */
  async busyInTransaction(
    tx: Transaction,
    calendar: string,
    from: number,
    to: number,
    exceptEventId = '',
  ): Promise<boolean> {
    const found = await this.#findOverlap(tx, calendar, from, to, exceptEventId);
    if (!found || from < found.window_start || to > found.window_end) {
      throw new NotMirrored(calendar, { startsAt: from, endsAt: to });
    }
    return Boolean(found.busy);
  }

  /**
   * Tells, first thing in the transaction that records it, that an event was changed here: a pull
   * that is under way in any process may have read it as it was before, and would take that for an
   * edit of the owner. It begins again.
   */
  outdate(tx: Transaction, calendar: string): Promise<void> {
    return outdateCalendar(tx, calendar);
  }

  /** Drops all that is known of a calendar. */
  async forget(calendar: string): Promise<void> {
    const { database } = this.#parts;
    await database.transaction(async (tx) => {
      await deleteCalendar(tx, calendar);
      await database.changes.announce(tx, 'calendar', calendar);
    });
    this.#standings.delete(calendar);
    database.changes.deliver('calendar', calendar);
  }

  /** Waits for the pulls under way. */
  async close(): Promise<void> {
    await this.#flights.idle();
  }

  /** The spans in memory, never older than what this process knows to be stored. */
  async #current(calendar: string): Promise<BusyList | undefined> {
    const list = await this.#known.get(calendar);
    const standing = this.#standings.get(calendar);
    if (!list || !standing || list.row.version >= standing.version) return list;
    // Another process changed it, this one has built on that, and the news are still on their way.
    this.#parts.database.changes.deliver('calendar', calendar);
    return this.#known.get(calendar);
  }

  #checkedAt(row: CalendarsTable): number {
    const standing = this.#standings.get(row.calendar);
    if (standing?.version !== row.version) return row.checked_at;
    return Math.max(row.checked_at, standing.checkedAt);
  }

  async #pull(connection: Connection, wish: Required<PullWish>): Promise<number> {
    const calendar = calendarKey(connection);
    try {
      for (let redos = 0; redos <= maxRedos; redos++) {
        const stored = await this.#find(calendar);
        const pulled = await this.#list(connection, stored, wish);
        if (await this.#keep(calendar, stored, pulled)) return pulled.checkedAt;
      }
    } catch (error) {
      await this.#failed(calendar, error);
      throw error;
    }
    throw new GoogleError('events.list', {
      kind: 'transient',
      status: null,
      reason: 'calendar_contended',
    });
  }

  async #list(
    connection: Connection,
    stored: CalendarsTable | undefined,
    { budgetMs, until }: Required<PullWish>,
  ): Promise<Pulled> {
    const { database, now } = this.#parts;
    if (stored && !needsFullPull(stored, now(), until)) {
      const standing = this.#standings.get(stored.calendar);
      const isCurrent = standing?.version === stored.version;
      const syncToken = isCurrent ? standing.syncToken : stored.sync_token;
      if (syncToken !== null) {
        const window = { startsAt: stored.window_start, endsAt: stored.window_end };
        const position = { syncToken, timeZone: stored.time_zone, window };
        const changes = await this.#lists.changes(connection, position, budgetMs, (eventIds) =>
          holdsSpans(database.read, stored.calendar, eventIds, 'series'),
        );
        if (changes) return changes;
      }
    }
    return this.#lists.all(connection, windowFor(now(), until), budgetMs);
  }

  /** Stores what a pull brought, if anything; false when another process was faster. */
  async #keep(
    calendar: string,
    stored: CalendarsTable | undefined,
    pulled: Pulled,
  ): Promise<boolean> {
    const { database } = this.#parts;
    const { complete, window, syncToken, timeZone, checkedAt } = pulled;
    const noted = {
      sync_token: syncToken,
      checked_at: checkedAt,
      due_at: nextPoll(checkedAt),
      failures: 0,
      failure: null,
    };
    const isNews = complete || (await this.#bringsNews(calendar, pulled.events));
    if (stored && !isNews) {
      const { version } = stored;
      if (isNoteworthy(stored, checkedAt)) {
        await database.transaction((tx) => changeCalendar(tx, calendar, version, noted));
      }
      this.#standings.set(calendar, { version, syncToken, checkedAt });
      return true;
    }
    const row: CalendarsTable = {
      ...noted,
      calendar,
      // Begins with the time, so that a calendar that was forgotten comes back with a newer one.
      version: stored ? stored.version + 1 : checkedAt,
      time_zone: timeZone,
      window_start: window.startsAt,
      window_end: window.endsAt,
      full_pulled_at: complete || !stored ? checkedAt : stored.full_pulled_at,
    };
    const kept = await database.transaction((tx) =>
      keepPull(this.#parts, tx, { stored, row, pulled }),
    );
    if (!kept) return false;
    this.#standings.set(calendar, { version: row.version, syncToken, checkedAt });
    kept.committed();
    return true;
  }

  async #bringsNews(calendar: string, events: readonly ReadEvent[]): Promise<boolean> {
    const rewritten = this.written.compare(events);
    if (rewritten === 'news') return true;
    if (rewritten.length === 0) return false;
    return holdsSpans(this.#parts.database.read, calendar, rewritten, 'any');
  }

  /** Notes a failure where it can be seen, and when to try again. */
  async #failed(calendar: string, error: unknown): Promise<void> {
    if (!(error instanceof GoogleError || error instanceof ApiError)) return;
    const { database, log, now } = this.#parts;
    const reason = error instanceof GoogleError ? error.reason : error.code;
    log.warn({ err: error, calendar, reason }, 'calendar not pulled');
    const stored = await this.#find(calendar);
    if (!stored) return;
    const dueAt = pollAfterFailure(error, stored.failures, now());
    await database.transaction((tx) => noteFailure(tx, calendar, reason, dueAt));
  }
}
