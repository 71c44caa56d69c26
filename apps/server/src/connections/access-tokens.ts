import { setTimeout as delay } from 'node:timers/promises';
import { GoogleError } from '../google/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionParts } from './connections.ts';
import { endConnection } from './ending.ts';
import type { Refresh } from './refresh.ts';

/** An access token is refreshed when it has less than this left, in milliseconds. */
const refreshAheadMs = 5 * 60_000;
/** With more than this left, in milliseconds, a token outlives the call that it is used for. */
const enoughForACallMs = 15_000;

/** Access tokens that Google accepts, for as long as the grant behind them lasts. */
export class AccessTokens {
  readonly #parts: ConnectionParts;
  readonly #refresh: Refresh;

  constructor(parts: ConnectionParts, refresh: Refresh) {
    this.#parts = parts;
    this.#refresh = refresh;
  }

  /**
   * Calls Google with an access token of the bot: refreshed first when it is about to end, and
   * once more when Google does not accept it.
   *
   * @param leftMs how many milliseconds the caller can still wait; a refresh that takes longer
   *   goes on for the callers after it
   * @throws {GoogleError} whatever the call or the refresh ended with
   */
  async use<T>(
    connection: Connection,
    call: (accessToken: string) => Promise<T>,
    leftMs: () => number,
  ): Promise<T> {
    const fresh = await this.#fresh(connection, leftMs);
    try {
      return await call(fresh.accessToken);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (error.kind === 'scopes') {
        await endConnection(this.#parts, fresh, 'missing_scopes', error.reason);
      }
      if (error.kind === 'operator') this.#parts.alarm.raise(error);
      if (error.kind !== 'unauthorized') throw error;
    }
    const renewed = await this.#within(this.#refresh.renew(fresh), leftMs());
    try {
      return await call(renewed.accessToken);
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'unauthorized') throw error;
      // A token fresh from Google that Google does not accept: the account is disabled or gone.
      await endConnection(this.#parts, renewed, 'needs_reauth', error.reason);
      throw new GoogleError(error.operation, {
        kind: 'reauth',
        status: error.status,
        reason: error.reason,
      });
    }
  }

  /**
   * Waits for a refresh, if the token is at its end: so that the time for a call is the call's own.
   *
   * @throws {GoogleError} whatever the refresh ended with; kind `transient` when the time is over
   */
  async ready(connection: Connection, withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    await this.#fresh(connection, () => until - performance.now());
  }

  async #fresh(connection: Connection, leftMs: () => number): Promise<Connection> {
    const livesMs = connection.expiresAt - this.#parts.now();
    if (livesMs > refreshAheadMs) return connection;
    if (livesMs > enoughForACallMs) {
      // While the token lives, trouble at the token endpoint costs the caller nothing: not even the
      // wait. What the refresh ends with is stored and logged by the refresh.
      this.#refresh.renew(connection, 'soon').catch(() => {});
      return connection;
    }
    return this.#within(this.#refresh.renew(connection), leftMs());
  }

  /** @throws {GoogleError} kind `transient` when the time is over first */
  async #within(refreshed: Promise<Connection>, leftMs: number): Promise<Connection> {
    const over = new AbortController();
    const timeout = delay(Math.max(0, leftMs), null, { signal: over.signal }).catch(() => null);
    try {
      const first = await Promise.race([refreshed, timeout]);
      if (first) return first;
    } finally {
      over.abort();
    }
    throw new GoogleError('token.refresh', {
      kind: 'transient',
      status: null,
      reason: 'refresh_under_way',
    });
  }
}
