import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { CachedLookup, type Database, type GoogleTokensTable } from '../db/index.ts';
import {
  type GoogleAccount,
  GoogleError,
  type GoogleOAuth,
  type TokenGrant,
} from '../google/index.ts';
import type { Logger } from '../logger.ts';
import type { Cell, Vault } from '../vault/index.ts';
import {
  changeConnection,
  consumeLink,
  findBotsOfAccount,
  findConnection,
  putConnection,
  takeConnection,
} from './store.ts';

/** A connection with its tokens opened; stays inside this process. */
export interface Connection {
  readonly botId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly googleSub: string;
  readonly calendarId: string;
  readonly status: GoogleTokensTable['status'];
  readonly version: number;
}

/** A grant as a consent gave it, with the account that it belongs to. */
export interface NewConnection {
  readonly grant: TokenGrant & { readonly refreshToken: string };
  readonly account: GoogleAccount;
}

const maxCachedConnections = 10_000;
/** An access token is refreshed when it has less than this left, in milliseconds. */
const refreshAheadMs = 5 * 60_000;
/** Every booking goes to the account's own calendar (design §6). */
const primaryCalendar = 'primary';

const tokenCell = (botId: string, column: 'access_token' | 'refresh_token'): Cell => ({
  table: 'google_tokens',
  row: botId,
  column,
});

/** Identifies a calendar across bots, since two bots may share one. */
export function calendarKey(connection: Pick<Connection, 'googleSub' | 'calendarId'>): string {
  return `${connection.googleSub}/${connection.calendarId}`;
}

/** The bots' links to Google accounts: stored, refreshed, ended. */
export class Connections {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #oauth: GoogleOAuth;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #known: CachedLookup<Connection>;
  readonly #refreshing = new Map<string, Promise<Connection>>();

  /** @param now clock in epoch milliseconds */
  constructor(parts: {
    database: Database;
    vault: Vault;
    oauth: GoogleOAuth;
    log: Logger;
    now: () => number;
  }) {
    this.#database = parts.database;
    this.#vault = parts.vault;
    this.#oauth = parts.oauth;
    this.#log = parts.log;
    this.#now = parts.now;
    this.#known = new CachedLookup({
      changes: parts.database.changes,
      topic: 'connection',
      limit: maxCachedConnections,
      load: async (botId) => {
        const row = await findConnection(parts.database.read, botId);
        return row && this.#open(row);
      },
    });
  }

  /**
   * The connection of a bot when it can be booked with.
   *
   * @throws {ApiError} `calendar_not_connected`, `calendar_needs_reauth`, `calendar_missing_scopes`
   */
  async requireUsable(botId: string): Promise<Connection> {
    const connection = await this.#known.get(botId);
    if (!connection) throw new ApiError('calendar_not_connected');
    if (connection.status === 'needs_reauth') throw new ApiError('calendar_needs_reauth');
    if (connection.status === 'missing_scopes') throw new ApiError('calendar_missing_scopes');
    return connection;
  }

  /**
   * Calls Google with an access token of the bot: refreshed first when it is about to end, and
   * once more when Google does not accept it.
   *
   * @throws {GoogleError} whatever the call or the refresh ended with
   */
  async withAccessToken<T>(
    connection: Connection,
    call: (accessToken: string) => Promise<T>,
  ): Promise<T> {
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

  /**
   * Stores what a consent gave and ends the link it came by; the newest grant of an account goes to
   * all its bots, since Google silently ends the oldest of 100 (facts/google.md §1).
   *
   * @returns false when the link was used before
   */
  async connect(botId: string, linkHash: string, connected: NewConnection): Promise<boolean> {
    const now = this.#now();
    const { account } = connected;
    const stored = await this.#database.transaction(async (tx) => {
      if (!(await consumeLink(tx, linkHash))) return null;
      const left = await findConnection(tx, botId);
      const botIds = new Set([botId, ...(await findBotsOfAccount(tx, account.sub))]);
      for (const id of botIds) {
        await putConnection(tx, this.#seal(id, connected, now));
        await this.#database.changes.announce(tx, 'connection', id);
      }
      await recordActivity(tx, {
        at: now,
        botId,
        kind: 'connection.connected',
        detail: { calendarId: primaryCalendar },
      });
      return { botIds, left };
    });
    if (!stored) return false;
    for (const id of stored.botIds) this.#database.changes.deliver('connection', id);
    const { left } = stored;
    if (left && left.google_sub !== account.sub) {
      await this.revokeUnlessUsed(left.google_sub, this.#open(left).refreshToken);
    }
    return true;
  }

  /**
   * Forgets the connection of a bot at once, and revokes the grant at Google, best effort, when no
   * other bot uses the account: revoking ends every grant that the account gave this project.
   *
   * @returns false when there was none
   */
  async disconnect(botId: string): Promise<boolean> {
    const taken = await this.#database.transaction(async (tx) => {
      const row = await takeConnection(tx, botId);
      if (!row) return null;
      await recordActivity(tx, { at: this.#now(), botId, kind: 'connection.disconnected' });
      await this.#database.changes.announce(tx, 'connection', botId);
      return { row, others: await findBotsOfAccount(tx, row.google_sub) };
    });
    this.#database.changes.deliver('connection', botId);
    if (!taken) return false;
    if (taken.others.length === 0) {
      const { refreshToken } = this.#open(taken.row);
      await this.revokeUnlessUsed(taken.row.google_sub, refreshToken);
    }
    return true;
  }

  /** Revokes a token at Google unless a bot is connected to its account; never throws for Google. */
  async revokeUnlessUsed(googleSub: string, token: string): Promise<void> {
    const users = await findBotsOfAccount(this.#database.read, googleSub);
    if (users.length > 0) return;
    try {
      await this.#oauth.revoke(token);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      this.#log.warn({ err: error }, 'grant could not be revoked at Google');
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
    if (stored.version !== connection.version) return this.#open(stored);
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
      access_token: this.#vault.seal(tokenCell(botId, 'access_token'), grant.accessToken),
      refresh_token: this.#vault.seal(tokenCell(botId, 'refresh_token'), refreshToken),
      expiry_date: grant.expiresAt,
      updated_at: this.#now(),
    });
    const current = await findConnection(this.#database.read, botId);
    if (!current) throw new ApiError('calendar_not_connected');
    return this.#open(current);
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

  #seal(botId: string, { grant, account }: NewConnection, now: number) {
    return {
      client_id: botId,
      access_token: this.#vault.seal(tokenCell(botId, 'access_token'), grant.accessToken),
      refresh_token: this.#vault.seal(tokenCell(botId, 'refresh_token'), grant.refreshToken),
      expiry_date: grant.expiresAt,
      scope: grant.scopes.join(' '),
      created_at: now,
      updated_at: now,
      google_sub: account.sub,
      account_email: account.email,
      calendar_id: primaryCalendar,
      status: 'connected' as const,
      status_reason: null,
      status_since: now,
    };
  }

  #open(row: GoogleTokensTable): Connection {
    return {
      botId: row.client_id,
      accessToken: this.#vault.open(tokenCell(row.client_id, 'access_token'), row.access_token),
      refreshToken: this.#vault.open(tokenCell(row.client_id, 'refresh_token'), row.refresh_token),
      expiresAt: row.expiry_date,
      googleSub: row.google_sub,
      calendarId: row.calendar_id,
      status: row.status,
      version: row.version,
    };
  }
}
