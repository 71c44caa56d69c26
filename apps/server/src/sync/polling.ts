import { ApiError } from '../api-error.ts';
import type { Connections } from '../connections/connections.ts';
import type { Database } from '../db/index.ts';
import { GoogleError } from '../google/index.ts';
import type { Logger } from '../logger.ts';
import type { Mirror } from './mirror.ts';
import { setDue, takeDue } from './store.ts';

/** How long a process that took a calendar keeps the others from polling it, in milliseconds. */
const leaseMs = 2 * 60_000;
/** How long one poll may take, in milliseconds; less than the lease. */
const budgetMs = 30_000;
/** Polls under way at once. */
const atOnce = 8;

export interface PollingParts {
  readonly database: Database;
  readonly connections: Connections;
  readonly mirror: Mirror;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Pulls calendars that nobody asked about for a while, so that appointments follow what owners do in
 * Google. Any number of processes may do it at once; what it costs depends on what is due alone.
 */
export class Polling {
  readonly #parts: PollingParts;

  constructor(parts: PollingParts) {
    this.#parts = parts;
  }

  /**
   * Polls what is due, at most `limit` calendars.
   *
   * @returns how many were due; `limit` when there may be more
   */
  async pollDue(limit: number): Promise<number> {
    const { database, now } = this.#parts;
    const at = now();
    const due = await database.transaction((tx) => takeDue(tx, at, at + leaseMs, limit));
    const rest = due.values();
    const worker = async () => {
      for (const calendar of rest) await this.#poll(calendar);
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, worker));
    return due.length;
  }

  async #poll(calendar: string): Promise<void> {
    const { database, connections, mirror, log } = this.#parts;
    const [googleSub = '', calendarId = ''] = calendar.split(/\/(.*)/s);
    try {
      const found = await connections.ofAccount(googleSub);
      // No bot is connected to the account any more: nothing of it is to stay here.
      if (found === null) return await mirror.forget(calendar);
      if (found === 'unusable') {
        return await database.transaction((tx) => setDue(tx, calendar, null));
      }
      await mirror.pull({ ...found, calendarId }, { budgetMs });
    } catch (error) {
      // The mirror has noted what Google said; one calendar never keeps the next waiting.
      if (error instanceof GoogleError || error instanceof ApiError) return;
      log.error({ err: error, calendar }, 'calendar could not be polled');
    }
  }
}
