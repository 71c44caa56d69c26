import { recordActivity } from '../activity/activity.ts';
import { ApiError } from '../api-error.ts';
import { BoundedMap, CachedLookup, type Database, type GoogleTokensTable } from '../db/index.ts';
import { type GoogleAccount, GoogleError, type GoogleOAuth } from '../google/index.ts';
import type { Logger } from '../logger.ts';
import type { Vault } from '../vault/index.ts';
import {
  type Connection,
  type NewConnection,
  openConnection,
  primaryCalendar,
  sealTokens,
} from './connection.ts';
import { consumeLink } from './consent-store.ts';
import type { OperatorAlarm } from './operator-alarm.ts';
import { findBotsOfAccount, findConnection, putConnection, takeConnection } from './store.ts';

const maxCachedConnections = 10_000;

/** What connections are kept and refreshed with. */
export interface ConnectionParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly oauth: GoogleOAuth;
  readonly alarm: OperatorAlarm;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** The bots' links to Google accounts: made, found, ended. */
export class Connections {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #oauth: GoogleOAuth;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #known: CachedLookup<Connection>;

  constructor(parts: ConnectionParts) {
    this.#database = parts.database;
    this.#vault = parts.vault;
    this.#oauth = parts.oauth;
    this.#log = parts.log;
    this.#now = parts.now;
    this.#known = new CachedLookup({
      changes: parts.database.changes,
      topics: ['connection', 'access_token'],
      memory: new BoundedMap(maxCachedConnections),
      load: async (botId) => {
        const row = await findConnection(parts.database.read, botId);
        return row && openConnection(parts.vault, row);
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
   * A connection of any bot to this account that Google can be called with.
   *
   * @param googleSub Google's id of the account
   * @returns null when no bot is connected to it, `unusable` when the owner is needed first
   */
  async ofAccount(googleSub: string): Promise<Connection | 'unusable' | null> {
    const botIds = await findBotsOfAccount(this.#database.read, googleSub);
    for (const botId of botIds) {
      const connection = await this.#known.get(botId);
      if (connection?.googleSub === googleSub && connection.status === 'connected') {
        return connection;
      }
    }
    return botIds.length === 0 ? null : 'unusable';
  }

  /**
   * Stores what a consent gave and ends the link it came by; the newest grant of an account goes to
   * all its bots, since Google silently ends the oldest of 100 (facts/google.md §1).
   *
   * @param replaces the account that the owner agreed to replace (Google's `sub`); null: none
   * @returns `link_used` when the link was used before; the account in place when that is another
   *   one, which the owner has to be asked about. Nothing is changed then.
   */
  async connect(
    botId: string,
    linkHash: string,
    connected: NewConnection,
    replaces: string | null,
  ): Promise<'connected' | 'link_used' | { readonly inPlace: GoogleAccount }> {
    const now = this.#now();
    const { account } = connected;
    const stored = await this.#database.transaction(async (tx) => {
      const left = await findConnection(tx, botId);
      if (left && left.google_sub !== account.sub && left.google_sub !== replaces) {
        return { inPlace: { sub: left.google_sub, email: left.account_email } };
      }
      if (!(await consumeLink(tx, linkHash))) return null;
      const botIds = new Set([botId, ...(await findBotsOfAccount(tx, account.sub))]);
      for (const id of botIds) {
        const before = id === botId ? left : await findConnection(tx, id);
        await putConnection(tx, this.#seal(id, connected, now));
        await this.#database.changes.announce(tx, 'connection', id);
        const kind = transition(before, account.sub);
        const detail = { calendarId: primaryCalendar };
        if (kind) await recordActivity(tx, { at: now, botId: id, kind, detail });
      }
      return { botIds, left };
    });
    if (!stored) return 'link_used';
    if (stored.inPlace) return { inPlace: stored.inPlace };
    for (const id of stored.botIds) this.#database.changes.deliver('connection', id);
    const { left } = stored;
    if (left && left.google_sub !== account.sub) await this.#revokeLeft(left);
    return 'connected';
  }

  /**
   * Forgets the connection of a bot at once, and revokes the grant at Google, best effort, when no
   * other bot uses the account: revoking ends every grant that the account gave this project.
   *
   * @param googleSub only the connection of this account; null: whichever it is
   * @returns false when there was none
   */
  async disconnect(botId: string, googleSub: string | null = null): Promise<boolean> {
    const taken = await this.#database.transaction(async (tx) => {
      const row = await takeConnection(tx, botId, googleSub);
      if (!row) return null;
      await recordActivity(tx, { at: this.#now(), botId, kind: 'connection.disconnected' });
      await this.#database.changes.announce(tx, 'connection', botId);
      return { row, others: await findBotsOfAccount(tx, row.google_sub) };
    });
    this.#database.changes.deliver('connection', botId);
    if (!taken) return false;
    if (taken.others.length === 0) await this.#revokeLeft(taken.row);
    return true;
  }

  /** Revokes the grant of a connection that is gone by now, if its tokens can be opened. */
  async #revokeLeft(row: GoogleTokensTable): Promise<void> {
    let refreshToken: string;
    try {
      refreshToken = openConnection(this.#vault, row).refreshToken;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { cause: err } = error;
      this.#log.warn({ err, botId: row.client_id }, 'grant could not be revoked at Google');
      return;
    }
    await this.revokeUnlessUsed(row.google_sub, refreshToken);
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

  #seal(botId: string, { grant, account }: NewConnection, now: number) {
    return {
      client_id: botId,
      ...sealTokens(this.#vault, botId, grant),
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
      refreshed_at: now,
      refresh_failures: 0,
      refresh_failure: null,
      refresh_not_before: null,
      lease_owner: null,
      lease_until: null,
      refresh_token_expires_at: grant.refreshTokenExpiresAt,
      expiry_announced_at: null,
    };
  }
}

/**
 * What a consent changed for a bot: nothing worth telling when a connection that works was only
 * given a newer grant of the same account.
 */
function transition(
  before: GoogleTokensTable | undefined,
  googleSub: string,
): 'connection.connected' | 'connection.recovered' | null {
  if (!before || before.google_sub !== googleSub) return 'connection.connected';
  return before.status === 'connected' ? null : 'connection.recovered';
}
