import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../api-error.ts';
import type { CommitWhen, GoogleTokensTable } from '../db/index.ts';
import {
  GoogleError,
  isOperatorFailure,
  oauthTimeoutMs,
  type TokenGrant,
} from '../google/index.ts';
import type { Connection } from './connection.ts';
import { openConnection, sealTokens } from './connection.ts';
import type { ConnectionParts } from './connections.ts';
import { endConnection } from './ending.ts';
import { type RefreshLease, releaseRefreshLease, takeRefreshLease } from './refresh-store.ts';
import { findConnection } from './store.ts';

/** How refreshes are shared and repeated. */
export interface RefreshPolicy {
  /**
   * How long one process may keep the others from refreshing, in milliseconds: longer than a call
   * to the token endpoint may take, so that only a process that died lets it run out.
   */
  readonly leaseMs: number;
  /** Back-off after the first failure, in milliseconds; doubles with each further one. */
  readonly firstPauseMs: number;
  /** Longest back-off, in milliseconds: how late a recovery of Google may be noticed. */
  readonly maxPauseMs: number;
}

export const refreshPolicy: RefreshPolicy = {
  leaseMs: 3 * oauthTimeoutMs,
  firstPauseMs: 500,
  maxPauseMs: 60_000,
};

/** Which state of which connection is to be replaced. */
type Versioned = Pick<Connection, 'botId' | 'version'>;

/** How often a process looks whether another one has finished the refresh, in milliseconds. */
const pollMs = 50;
/**
 * Google's `Retry-After` is honoured up to this, in milliseconds: what is between it and us may say
 * anything, and nobody but the owner would end a pause of a year.
 */
const maxRetryAfterMs = 10 * 60_000;

const failedBefore = (row: GoogleTokensTable, now: number): GoogleError | null => {
  const { refresh_not_before: notBefore, refresh_failure: failure } = row;
  if (notBefore === null || notBefore <= now) return null;
  return new GoogleError('token.refresh', {
    kind: isOperatorFailure(failure ?? '') ? 'operator' : 'transient',
    status: null,
    reason: failure ?? 'unreachable',
    retryAfterMs: notBefore - now,
  });
};

/**
 * Refreshes grants: once per expiry, however many callers, processes and failures there are.
 *
 * Callers of one process share a flight; processes share a lease on the row, which is held across
 * the call to Google without a transaction. What comes back is stored only if the row still has
 * the version that was refreshed, so that a reconnect always wins (design §6).
 */
export class Refresh {
  readonly #parts: ConnectionParts;
  readonly #policy: RefreshPolicy;
  readonly #flights = new Map<string, Promise<Connection>>();
  #closed = false;

  constructor(parts: ConnectionParts, policy: RefreshPolicy) {
    this.#parts = parts;
    this.#policy = policy;
  }

  /**
   * A connection newer than the one given: refreshed, or changed by somebody else meanwhile. The
   * flight goes on when its callers have gone; its result is stored for the next.
   *
   * @param when `soon` when nobody waits for it: the process then stops less often for its commits
   * @throws {GoogleError} when Google did not give a token, now or within the stored back-off
   * @throws {ApiError} `calendar_not_connected` when the connection is gone
   */
  renew(connection: Versioned, when: CommitWhen = 'now'): Promise<Connection> {
    // The version is part of it: whoever was refused with the result of one flight starts another.
    const key = `${connection.botId} ${connection.version}`;
    const running = this.#flights.get(key);
    if (running) return running;
    const flight = this.#renew(connection, when).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** Waits for the refreshes under way; those that wait for another process give up. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#flights.values());
  }

  async #renew(connection: Versioned, when: CommitWhen = 'now'): Promise<Connection> {
    const { database, vault, now } = this.#parts;
    const { botId, version } = connection;
    const lease: RefreshLease = { botId, version, owner: randomUUID() };
    while (!this.#closed) {
      const stored = await findConnection(database.read, botId);
      if (!stored) throw new ApiError('calendar_not_connected');
      if (stored.version !== version) return this.#usable(stored);
      const failed = failedBefore(stored, now());
      if (failed) throw failed;
      if (stored.lease_until === null || stored.lease_until <= now()) {
        const until = now() + this.#policy.leaseMs;
        const leased = await database.transaction(
          (tx) => takeRefreshLease(tx, lease, now(), until),
          when,
        );
        if (leased) return this.#refresh(openConnection(vault, leased), lease, leased, when);
      }
      await delay(pollMs * (0.5 + Math.random()));
    }
    throw new GoogleError('token.refresh', {
      kind: 'transient',
      status: null,
      reason: 'shutting_down',
    });
  }

  #usable(stored: GoogleTokensTable): Connection {
    if (stored.status === 'connected') return openConnection(this.#parts.vault, stored);
    throw new GoogleError('token.refresh', {
      kind: stored.status === 'needs_reauth' ? 'reauth' : 'scopes',
      status: null,
      reason: stored.status_reason ?? stored.status,
    });
  }

  async #refresh(
    connection: Connection,
    lease: RefreshLease,
    leased: GoogleTokensTable,
    when: CommitWhen,
  ): Promise<Connection> {
    let grant: TokenGrant;
    try {
      grant = await this.#parts.oauth.refresh(connection.refreshToken);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (error.kind === 'reauth') {
        await endConnection(this.#parts, connection, 'needs_reauth', error.reason);
        throw error;
      }
      if (error.kind === 'operator') this.#parts.alarm.raise(error);
      throw await this.#backOff(error, lease, leased);
    }
    const saved = await this.#save(grant, connection, lease, when);
    if (saved) return saved;
    const stored = await findConnection(this.#parts.database.read, connection.botId);
    if (!stored) throw new ApiError('calendar_not_connected');
    return this.#usable(stored);
  }

  /** The connection as it is stored; null when something newer was there. */
  async #save(
    grant: TokenGrant,
    connection: Connection,
    lease: RefreshLease,
    when: CommitWhen,
  ): Promise<Connection | null> {
    const { database, vault, now } = this.#parts;
    const { botId } = connection;
    const { accessToken, expiresAt } = grant;
    // Google sends no refresh token with a refresh: the stored one stays.
    const refreshToken = grant.refreshToken ?? connection.refreshToken;
    const version = connection.version + 1;
    const at = now();
    const ends = grant.refreshTokenExpiresAt;
    const saved = await database.transaction(async (tx) => {
      const released = await releaseRefreshLease(tx, lease, version, {
        ...sealTokens(vault, botId, { accessToken, refreshToken }),
        expiry_date: expiresAt,
        updated_at: at,
        refreshed_at: at,
        refresh_failures: 0,
        refresh_failure: null,
        refresh_not_before: null,
        ...(ends === null ? {} : { refresh_token_expires_at: ends }),
      });
      if (released) await database.changes.announce(tx, 'access_token', botId);
      return released;
    }, when);
    database.changes.deliver('access_token', botId);
    return saved ? { ...connection, accessToken, refreshToken, expiresAt, version } : null;
  }

  /** Stores the failure for all processes, and returns it with how long to wait. */
  async #backOff(
    error: GoogleError,
    lease: RefreshLease,
    leased: GoogleTokensTable,
  ): Promise<GoogleError> {
    const { database, log, now } = this.#parts;
    const failures = leased.refresh_failures + 1;
    const ceiling = Math.min(
      this.#policy.maxPauseMs,
      this.#policy.firstPauseMs * 2 ** Math.min(leased.refresh_failures, 30),
    );
    const pauseMs = Math.max(
      Math.ceil(ceiling * (0.5 + Math.random() / 2)),
      Math.min(error.retryAfterMs ?? 0, maxRetryAfterMs),
    );
    await database.transaction((tx) =>
      releaseRefreshLease(tx, lease, lease.version, {
        refresh_failures: failures,
        refresh_failure: error.reason,
        refresh_not_before: now() + pauseMs,
      }),
    );
    log.warn({ err: error, botId: lease.botId, failures, pauseMs }, 'refresh failed');
    return new GoogleError(error.operation, { ...error, retryAfterMs: pauseMs });
  }
}
