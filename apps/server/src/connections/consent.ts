import { hash, timingSafeEqual } from 'node:crypto';
import type { Bot } from '@calhook/contract';
import type { Bots } from '../bots/bots.ts';
import type { Database, OAuthStatesTable } from '../db/index.ts';
import {
  calendarScope,
  type FailureKind,
  type GoogleCalendar,
  GoogleError,
  type GoogleOAuth,
} from '../google/index.ts';
import { newSecret } from '../identifiers.ts';
import type { Logger } from '../logger.ts';
import type { Cell, Vault } from '../vault/index.ts';
import type { NewConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import {
  bindLinkAndInsertState,
  consumeState,
  findConnectLink,
  insertConnectLink,
} from './store.ts';

/** How long a connect link can be used, in milliseconds. */
const linkLifetimeMs = 30 * 60_000;
/** How long a consent may take, in milliseconds. */
const stateLifetimeMs = 10 * 60_000;

/** Why a consent did not end in a connection; each has a page of its own. */
export type ConsentFault =
  | 'link_unknown'
  | 'link_elsewhere'
  | 'state_unknown'
  | 'cookie_mismatch'
  | 'denied'
  | 'google_error'
  | 'exchange_refused'
  | 'google_unreachable'
  | 'operator'
  | 'scope_missing'
  | 'refresh_token_missing';

export class ConsentError extends Error {
  override readonly name = 'ConsentError';
  readonly fault: ConsentFault;
  constructor(fault: ConsentFault) {
    super(`consent ended: ${fault}`);
    this.fault = fault;
  }
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

function equalHashes(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}

export interface ConsentParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly oauth: GoogleOAuth;
  readonly calendar: GoogleCalendar;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly publicUrl: string;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Connecting a calendar, from the one-time link to the stored grant (design §6, Connect; RFC 6749
 * §4.1 with PKCE, RFC 7636). Link, state and cookie are stored as hashes, the verifier sealed.
 */
export class Consents {
  readonly #parts: ConsentParts;

  constructor(parts: ConsentParts) {
    this.#parts = parts;
  }

  /**
   * Makes a one-time link for the owner of the calendar.
   *
   * @throws {ApiError} `bot_not_found`
   */
  async createLink(botId: string): Promise<{ url: string; expiresAt: number }> {
    const { database, bots, publicUrl, now } = this.#parts;
    const bot = await bots.get(botId);
    const token = newSecret();
    const createdAt = now();
    const expiresAt = createdAt + linkLifetimeMs;
    await insertConnectLink(
      database,
      {
        token_hash: sha256(token),
        client_id: bot.id,
        cookie_hash: null,
        created_at: createdAt,
        expires_at: expiresAt,
      },
      createdAt,
    );
    return { url: `${publicUrl}/connect/${token}`, expiresAt };
  }

  /**
   * The bot that a link connects. Looking changes nothing: link previews look, too.
   *
   * @throws {ConsentError} `link_unknown`
   */
  async botOfLink(token: string): Promise<Bot> {
    const link = await findConnectLink(this.#parts.database, sha256(token));
    if (!link || link.expires_at <= this.#parts.now()) throw new ConsentError('link_unknown');
    return this.#parts.bots.get(link.client_id);
  }

  /**
   * Starts a consent: binds the link to this browser and returns where to send it.
   *
   * @param cookie secret that this browser holds already, or null
   * @throws {ConsentError} `link_unknown`, `link_elsewhere`
   */
  async start(token: string, cookie: string | null): Promise<{ url: string; cookie: string }> {
    const { database, vault, oauth, now } = this.#parts;
    const bot = await this.botOfLink(token);
    const secret = cookie ?? newSecret();
    const request = await oauth.startAuthorization();
    const stateHash = sha256(request.state);
    const bound = await bindLinkAndInsertState(database, {
      state_hash: stateHash,
      client_id: bot.id,
      cookie_hash: sha256(secret),
      code_verifier: vault.seal(verifierCell(stateHash), request.codeVerifier),
      link_hash: sha256(token),
      expires_at: now() + stateLifetimeMs,
    });
    if (!bound) throw new ConsentError('link_elsewhere');
    return { url: request.url, cookie: secret };
  }

  /**
   * Finishes a consent with what Google's redirect brought.
   *
   * @param query the query of the callback, as received
   * @param cookie secret of the browser that was redirected, or null
   * @throws {ConsentError} for each way it can fail
   */
  async finish(query: string, cookie: string | null): Promise<{ bot: Bot; email: string }> {
    const { bots, connections, log } = this.#parts;
    const parameters = new URLSearchParams(query);
    const state = await this.#consumeState(parameters.get('state'), cookie);
    const refused = parameters.get('error');
    if (refused !== null) {
      throw new ConsentError(refused === 'access_denied' ? 'denied' : 'google_error');
    }
    if (!parameters.get('code')) throw new ConsentError('google_error');
    try {
      const connected = await this.#exchange(query, parameters.get('state') ?? '', state);
      const bot = await bots.get(state.client_id);
      if (!(await connections.connect(bot.id, state.link_hash, connected))) {
        throw new ConsentError('link_unknown');
      }
      return { bot, email: connected.account.email };
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      log.warn({ err: error, botId: state.client_id }, 'consent could not be finished');
      throw new ConsentError(consentFaults[error.kind] ?? 'exchange_refused');
    }
  }

  async #consumeState(state: string | null, cookie: string | null): Promise<OAuthStatesTable> {
    const { database, now } = this.#parts;
    const row = state ? await consumeState(database, sha256(state)) : undefined;
    if (!row || row.expires_at <= now()) throw new ConsentError('state_unknown');
    if (cookie === null || !equalHashes(sha256(cookie), row.cookie_hash)) {
      throw new ConsentError('cookie_mismatch');
    }
    return row;
  }

  /** Trades the code for a grant that can book, and proves that it can. */
  async #exchange(query: string, state: string, row: OAuthStatesTable): Promise<NewConnection> {
    const { vault, oauth, calendar, connections } = this.#parts;
    const verifier = vault.open(verifierCell(row.state_hash), row.code_verifier);
    const grant = await oauth.exchangeCode(query, state, verifier);
    const account = await oauth.account(grant.accessToken);
    if (!grant.scopes.some((scope) => bookingScopes.has(scope))) {
      await connections.revokeUnlessUsed(account.sub, grant.accessToken);
      throw new ConsentError('scope_missing');
    }
    const { refreshToken } = grant;
    if (refreshToken === null) throw new ConsentError('refresh_token_missing');
    await calendar.readCalendar(grant.accessToken, 'primary');
    return { grant: { ...grant, refreshToken }, account };
  }
}

/** Scopes that let events be made and listed: the one asked for, or the wider one that includes it. */
const bookingScopes = new Set([calendarScope, 'https://www.googleapis.com/auth/calendar']);

const consentFaults: Partial<Record<FailureKind, ConsentFault>> = {
  transient: 'google_unreachable',
  operator: 'operator',
  scopes: 'scope_missing',
};

function verifierCell(stateHash: string): Cell {
  return { table: 'oauth_states', row: stateHash, column: 'code_verifier' };
}
