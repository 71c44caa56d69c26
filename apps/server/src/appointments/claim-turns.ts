import type { Database, Transaction } from '../db/index.ts';

/** How many transactions of one calendar may be under way in this process. */
const atOnce = 3;

/**
 * Lets transactions that claim time of a calendar in by a few. PostgreSQL has them wait for each
 * other anyway, each on a connection of its own: without this, a calendar that many want at once
 * takes all connections, and bookings of all others wait for its.
 */
export class ClaimTurns {
  readonly #database: Database;
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Runs a transaction that claims time of a calendar.
   *
   * @param look called first by who had to wait: what others got meanwhile may end it
   */
  async run<T>(
    calendar: string,
    work: (tx: Transaction) => Promise<T>,
    look?: () => Promise<void>,
  ): Promise<T> {
    // SQLite has one writer, and commits together what comes together.
    if (this.#database.dialect === 'sqlite') return this.#database.transaction(work);
    const running = this.#running.get(calendar) ?? 0;
    const waits = running >= atOnce;
    if (waits) await this.#turn(calendar);
    else this.#running.set(calendar, running + 1);
    try {
      if (waits) await look?.();
      return await this.#database.transaction(work);
    } finally {
      this.#next(calendar);
    }
  }

  #turn(calendar: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(calendar) ?? [];
      waiting.push(resolve);
      this.#waiting.set(calendar, waiting);
    });
  }

  /** Gives the place to who waits longest, or up. */
  #next(calendar: string): void {
    const waiting = this.#waiting.get(calendar);
    const next = waiting?.shift();
    if (waiting?.length === 0) this.#waiting.delete(calendar);
    const running = (this.#running.get(calendar) ?? 0) - 1;
    if (next) next();
    else if (running > 0) this.#running.set(calendar, running);
    else this.#running.delete(calendar);
  }
}
