import { setTimeout as delay } from 'node:timers/promises';
import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { GoogleError } from '../google/index.ts';
import type { ConnectionParts } from './connections.ts';
import type { ConsentSteps } from './consent-steps.ts';
import type { Refresh } from './refresh.ts';
import {
  findExpiringConnections,
  findIdleConnections,
  type IdleConnection,
  markExpiryAnnounced,
} from './refresh-store.ts';

const day = 24 * 3_600_000;
/** Google drops a grant that was not used for six months (facts/google.md §1). */
const idleAfterMs = 30 * day;
/** The owner hears of the end this long before, in milliseconds: two days, at least one of them left. */
const announceAheadMs = 2 * day;
/** Ends announced at a time. */
const batch = 100;
/**
 * So many idle grants are refreshed together, which lets them share their commits, with a pause of
 * so many milliseconds before the next: ten thousand take eight minutes, and callers notice little
 * (bench/src/refresh.ts).
 */
const together = 64;
const pauseMs = 3_000;
/** How often a process looks after the connections, in milliseconds. */
const everyMs = 3_600_000;

/**
 * Looks after connections that nobody uses: keeps their grants alive, and tells in time when Google
 * will end one. Every process does it; leases and conditional updates keep them apart.
 */
export class ConnectionCare {
  readonly #parts: ConnectionParts;
  readonly #refresh: Refresh;
  readonly #steps: ConsentSteps;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: ConnectionParts, refresh: Refresh, steps: ConsentSteps) {
    this.#parts = parts;
    this.#refresh = refresh;
    this.#steps = steps;
  }

  /** Does a pass now, and one every hour unless the one before is still under way. */
  start(): void {
    const pass = () => {
      this.#running ??= this.pass()
        .catch((error) => {
          this.#parts.log.error({ err: error }, 'care of connections failed; it is repeated');
        })
        .finally(() => {
          this.#running = undefined;
        });
    };
    pass();
    this.#timer = setInterval(pass, everyMs).unref();
  }

  /** Ends the pass under way after the grants that are being refreshed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#running;
  }

  /** Does all that is due. */
  async pass(): Promise<void> {
    await this.#announceEnds();
    await this.#steps.dropExpired();
    await this.#keepAlive();
  }

  async #announceEnds(): Promise<void> {
    const { database, now } = this.#parts;
    const at = now();
    let found = batch;
    while (found === batch) {
      const expiring = await findExpiringConnections(database.read, at + announceAheadMs, batch);
      found = expiring.length;
      for (const { client_id: botId, refresh_token_expires_at: expiresAt } of expiring) {
        if (expiresAt === null) continue;
        await database.transaction(async (tx) => {
          if (!(await markExpiryAnnounced(tx, botId, expiresAt, at))) return;
          await recordActivity(tx, {
            at,
            botId,
            kind: 'connection.expiring',
            detail: { expiresAt },
          });
        });
      }
    }
  }

  async #keepAlive(): Promise<void> {
    const { database, now } = this.#parts;
    const at = now();
    const { signal } = this.#closing;
    for (;;) {
      // Each that was tried is out of the way: refreshed, ended, put off, or under a lease still.
      const idle = await findIdleConnections(database.read, at - idleAfterMs, at, together);
      await Promise.all(idle.map((connection) => this.#renew(connection)));
      if (idle.length < together) return;
      await delay(pauseMs, null, { signal }).catch(() => {});
      // What is left after an hour is left for the next pass, which tells what ends first.
      if (signal.aborted || now() - at >= everyMs) return;
    }
  }

  async #renew({ client_id: botId, version }: IdleConnection): Promise<void> {
    try {
      await this.#refresh.renew({ botId, version }, 'soon');
    } catch (error) {
      // What Google said is stored by the refresh; one connection never keeps the next waiting.
      if (error instanceof GoogleError) return;
      if (error instanceof ApiError && !error.cause) return;
      const err = error instanceof ApiError ? error.cause : error;
      this.#parts.log.error({ err, botId }, 'grant could not be kept alive');
    }
  }
}
