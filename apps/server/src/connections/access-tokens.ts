import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import type { Database } from '../db/index.ts';
import { GoogleError, type GoogleOAuth, type TokenGrant } from '../google/index.ts';
import type { Logger } from '../logger.ts';
import type { Vault } from '../vault/index.ts';
import { type Connection, openConnection, sealTokens } from './connection.ts';
import { changeConnection, findConnection } from './store.ts';

/** An access token is refreshed when it has less than this left, in milliseconds. */
const refreshAheadMs = 5 * 60_000;

/** What connections are kept and refreshed with. */
export interface AccessTokenParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly oauth: GoogleOAuth;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** Access tokens that Google accepts, for as long as the grant behind them lasts. */
export class AccessTokens {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #oauth: GoogleOAuth;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #refreshing = new Map<string, Promise<Connection>>();

  constructor(parts: AccessTokenParts) {
    this.#database = parts.database;
    this.#vault = parts.vault;
    this.#oauth = parts.oauth;
    this.#log = parts.log;
    this.#now = parts.now;
  }

  /**
   * Calls Google with an access token of the bot: refreshed first when it is about to end, and
   * once more when Google does not accept it.
   *
   * @throws {GoogleError} whatever the call or the refresh ended with
   */
  async use<T>(connection: Connection, call: (accessToken: string) => Promise<T>): Promise<T> {
    const fresh = await this.#fresh(connection);
    try {
      return await call(fresh.accessToken);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (error.kind === 'scopes') await this.#end(fresh, 'missing_scopes', error.reason);
      if (error.kind !== 'unauthorized') throw error;
    }
    const renewed = await this.#refresh(fresh);
    try {
      return await call(renewed.accessToken);
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'unauthorized') throw error;
      // A token fresh from Google that Google does not accept: the account is disabled or gone.
      await this.#end(renewed, 'needs_reauth', error.reason);
      throw new GoogleError(error.operation, {
        kind: 'reauth',
        status: error.status,
        reason: error.reason,
      });
    }
  }

  async #fresh(connection: Connection): Promise<Connection> {
    const leftMs = connection.expiresAt - this.#now();
    if (leftMs > refreshAheadMs) return connection;
    try {
      return await this.#refresh(connection);
    } catch (error) {
      // While the token lives, trouble at the token endpoint costs the caller nothing.
      if (leftMs > 0 && error instanceof GoogleError && error.kind === 'transient')
        return connection;
      throw error;
    }
  }

  /** Refreshes once, however many callers ask at the same time. */
  #refresh(connection: Connection): Promise<Connection> {
    const { botId } = connection;
    const running = this.#refreshing.get(botId);
    if (running) return running;
    const refresh = this.#refreshNow(connection).finally(() => this.#refreshing.delete(botId));
    this.#refreshing.set(botId, refresh);
    return refresh;
  }

  async #refreshNow(connection: Connection): Promise<Connection> {
    const { botId } = connection;
    // What this caller holds may be older than what another caller has just stored.
    const stored = await findConnection(this.#database.read, botId);
    if (!stored) throw new ApiError('calendar_not_connected');
    if (stored.version !== connection.version) return openConnection(this.#vault, stored);
    let grant: TokenGrant;
    try {
      grant = await this.#oauth.refresh(connection.refreshToken);
    } catch (error) {
      if (error instanceof GoogleError && error.kind === 'reauth') {
        await this.#end(connection, 'needs_reauth', error.reason);
      }
      throw error;
    }
    // Google sends no refresh token with a refresh: the stored one stays.
    const refreshToken = grant.refreshToken ?? connection.refreshToken;
    await this.#change(connection, {
      ...sealTokens(this.#vault, botId, { accessToken: grant.accessToken, refreshToken }),
      expiry_date: grant.expiresAt,
      updated_at: this.#now(),
    });
    const current = await findConnection(this.#database.read, botId);
    if (!current) throw new ApiError('calendar_not_connected');
    return openConnection(this.#vault, current);
  }

  /** Marks a grant as no longer usable; one that was replaced meanwhile is left alone. */
  async #end(
    connection: Connection,
    status: 'needs_reauth' | 'missing_scopes',
    reason: string,
  ): Promise<void> {
    const now = this.#now();
    const change = {
      status,
      status_reason: reason,
      status_since: now,
      updated_at: now,
    };
    const ended = await this.#change(connection, change);
    if (ended) this.#log.warn({ botId: connection.botId, reason }, 'connection needs the owner');
  }

  async #change(
    connection: Connection,
    change: Parameters<typeof changeConnection>[3],
  ): Promise<boolean> {
    const { botId, version } = connection;
    const changed = await this.#database.transaction(async (tx) => {
      if (!(await changeConnection(tx, botId, version, change))) return false;
      await this.#database.changes.announce(tx, 'connection', botId);
      if (change.status === 'needs_reauth' || change.status === 'missing_scopes') {
        await recordActivity(tx, {
          at: this.#now(),
          botId,
          kind: 'connection.needs_reauth',
          detail: { status: change.status, reason: change.status_reason ?? null },
        });
      }
      return true;
    });
    this.#database.changes.deliver('connection', botId);
    return changed;
  }
}
