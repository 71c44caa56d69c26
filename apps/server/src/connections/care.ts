import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { GoogleError } from '../google/index.ts';
import { openConnection } from './connection.ts';
import type { ConnectionParts } from './connections.ts';
import type { ConsentSteps } from './consent-steps.ts';
import type { Refresh } from './refresh.ts';
import {
  findExpiringConnections,
  findIdleConnections,
  markExpiryAnnounced,
} from './refresh-store.ts';

const day = 24 * 3_600_000;
/** Google drops a grant that was not used for six months (facts/google.md §1). */
const idleAfterMs = 30 * day;
/** The owner hears of the end this long before, in milliseconds: two days, at least one of them left. */
const announceAheadMs = 2 * day;
const batch = 100;
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
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ConnectionParts, refresh: Refresh, steps: ConsentSteps) {
    this.#parts = parts;
    this.#refresh = refresh;
    this.#steps = steps;
  }

  /** Does a pass now and every hour from then on. */
  start(): void {
    const pass = () => {
      this.#running = this.pass().catch((error) => {
        this.#parts.log.error({ err: error }, 'care of connections failed; it is repeated');
      });
    };
    pass();
    this.#timer = setInterval(pass, everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One pass, of at most a batch of each kind. */
  async pass(): Promise<void> {
    await this.#announceEnds();
    await this.#keepAlive();
    await this.#steps.dropExpired();
  }

  async #announceEnds(): Promise<void> {
    const { database, now } = this.#parts;
    const at = now();
    const expiring = await findExpiringConnections(database.read, at + announceAheadMs, batch);
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

  async #keepAlive(): Promise<void> {
    const { database, vault, now, log } = this.#parts;
    const at = now();
    for (const row of await findIdleConnections(database.read, at - idleAfterMs, at, batch)) {
      try {
        await this.#refresh.renew(openConnection(vault, row));
      } catch (error) {
        // What Google said is stored by the refresh; one connection never keeps the next waiting.
        if (error instanceof GoogleError) continue;
        if (error instanceof ApiError && !error.cause) continue;
        const err = error instanceof ApiError ? error.cause : error;
        log.error({ err, botId: row.client_id }, 'grant could not be kept alive');
      }
    }
  }
}
