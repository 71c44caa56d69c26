import type { Bot } from '@calhook/contract';
import type { OAuthStatesTable } from '../db/index.ts';
import { calendarScope, type FailureKind, GoogleError } from '../google/index.ts';
import { newSecret } from '../identifiers.ts';
import type { SealedCell } from '../vault/index.ts';
import type { NewConnection } from './connection.ts';
import { ConsentError, type ConsentFault } from './consent-error.ts';
import type { ConsentParts } from './consent-parts.ts';
import type { ConsentSteps } from './consent-steps.ts';
import {
  bindLinkAndInsertState,
  consumeState,
  deleteConnectLinks,
  findConnectLink,
  insertConnectLink,
} from './consent-store.ts';
import { equalHashes, sha256 } from './hashes.ts';
import type { ReconnectLinks } from './reconnect.ts';
import { type ConnectionState, connectionStateFinder } from './store.ts';

/** How long a connect link can be used, in milliseconds. */
const linkLifetimeMs = 30 * 60_000;
/** How long a consent may take, in milliseconds. */
const stateLifetimeMs = 10 * 60_000;

/** How a consent ended: connected, or with a question to the owner (a token of {@link ConsentSteps}). */
type Finished =
  | {
      readonly outcome: 'connected';
      readonly bot: Bot;
      readonly email: string;
      readonly undo: string;
    }
  | { readonly outcome: 'ask'; readonly token: string };

/**
 * Connecting a calendar, from the one-time link to the stored grant (design §6, Connect; RFC 6749
 * §4.1 with PKCE, RFC 7636). Link, state and cookie are stored as hashes, the verifier sealed.
 */
export class Consents {
  readonly #parts: ConsentParts;
  readonly #steps: ConsentSteps;
  readonly #reconnectLinks: ReconnectLinks;
  readonly #findState: (botId: string) => Promise<ConnectionState | undefined>;

  constructor(parts: ConsentParts, steps: ConsentSteps, reconnectLinks: ReconnectLinks) {
    this.#parts = parts;
    this.#steps = steps;
    this.#reconnectLinks = reconnectLinks;
    this.#findState = connectionStateFinder(parts.database);
  }

  /**
   * Makes a one-time link for the owner of the calendar.
   *
   * @throws {ApiError} `bot_not_found`
   */
  async createLink(botId: string): Promise<{ url: string; expiresAt: number }> {
    const bot = await this.#parts.bots.get(botId);
    const { token, expiresAt } = await this.#createLink(bot, null);
    return { url: `${this.#parts.publicUrl}/connect/${token}`, expiresAt };
  }

  /**
   * Ends the open links of a bot, and the consents begun with them.
   *
   * @throws {ApiError} `bot_not_found`
   */
  async revokeLinks(botId: string): Promise<void> {
    const { database, bots } = this.#parts;
    const bot = await bots.get(botId);
    await deleteConnectLinks(database, bot.id);
  }

  async #createLink(
    bot: Bot,
    googleSub: string | null,
  ): Promise<{ token: string; expiresAt: number }> {
    const token = newSecret();
    const createdAt = this.#parts.now();
    const expiresAt = createdAt + linkLifetimeMs;
    await insertConnectLink(
      this.#parts.database,
      {
        token_hash: sha256(token),
        client_id: bot.id,
        cookie_hash: null,
        created_at: createdAt,
        expires_at: expiresAt,
        google_sub: googleSub,
      },
      createdAt,
    );
    return { token, expiresAt };
  }

  /**
   * The bot and the account that a reconnect link mends. Looking changes nothing.
   *
   * @throws {ConsentError} `reconnect_unknown`
   */
  async reconnectTarget(token: string): Promise<{ bot: Bot; email: string; googleSub: string }> {
    const botId = this.#reconnectLinks.botId(token);
    const state = botId === null ? undefined : await this.#findState(botId);
    if (botId === null || !state || !this.#reconnectLinks.accepts(token, botId, state)) {
      throw new ConsentError('reconnect_unknown');
    }
    const bot = await this.#parts.bots.get(botId);
    return { bot, email: state.account_email ?? '', googleSub: state.google_sub ?? '' };
  }

  /**
   * Starts the consent that mends a connection, by a one-time link for its account alone.
   *
   * @throws {ConsentError} `reconnect_unknown`
   */
  async startReconnect(
    token: string,
    cookie: string | null,
  ): Promise<{ url: string; cookie: string; token: string }> {
    const { bot, googleSub } = await this.reconnectTarget(token);
    const link = await this.#createLink(bot, googleSub);
    return { ...(await this.start(link.token, cookie)), token: link.token };
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
  async finish(query: string, cookie: string | null): Promise<Finished> {
    const { bots, alarm, log } = this.#parts;
    const parameters = new URLSearchParams(query);
    const { row, secret } = await this.#consumeState(parameters.get('state'), cookie);
    const refused = parameters.get('error');
    if (refused !== null) {
      throw new ConsentError(refused === 'access_denied' ? 'denied' : 'google_error');
    }
    if (!parameters.get('code')) throw new ConsentError('google_error');
    try {
      const connected = await this.#exchange(query, parameters.get('state') ?? '', row);
      return await this.#connect(await bots.get(row.client_id), row, connected, secret);
    } catch (error) {
      if (!(error instanceof GoogleError)) throw error;
      if (error.kind === 'operator') alarm.raise(error);
      log.warn({ err: error, botId: row.client_id }, 'consent could not be finished');
      throw new ConsentError(consentFaults[error.kind] ?? 'exchange_refused');
    }
  }

  async #connect(
    bot: Bot,
    { link_hash: linkHash }: OAuthStatesTable,
    connected: NewConnection,
    cookie: string,
  ): Promise<Finished> {
    const { database, connections } = this.#parts;
    const { account, grant } = connected;
    const link = await findConnectLink(database, linkHash);
    if (link?.google_sub && link.google_sub !== account.sub) {
      await connections.revokeUnlessUsed(account.sub, grant.refreshToken);
      throw new ConsentError('other_account');
    }
    const result = link
      ? await connections.connect(bot.id, linkHash, connected, null)
      : 'link_used';
    if (result === 'link_used') {
      await connections.revokeUnlessUsed(account.sub, grant.refreshToken);
      throw new ConsentError('link_unknown');
    }
    if (result === 'connected') {
      const undo = await this.#steps.offerUndo(bot.id, account.sub);
      return { outcome: 'connected', bot, email: account.email, undo };
    }
    const replacement = { connected, linkHash, replaces: result.inPlace };
    return { outcome: 'ask', token: await this.#steps.ask(bot.id, cookie, replacement) };
  }

  async #consumeState(
    state: string | null,
    cookie: string | null,
  ): Promise<{ row: OAuthStatesTable; secret: string }> {
    const { database, now } = this.#parts;
    const row = state ? await consumeState(database, sha256(state)) : undefined;
    if (!row || row.expires_at <= now()) throw new ConsentError('state_unknown');
    if (cookie === null || !equalHashes(sha256(cookie), row.cookie_hash)) {
      throw new ConsentError('cookie_mismatch');
    }
    return { row, secret: cookie };
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

function verifierCell(stateHash: string): SealedCell {
  return { table: 'oauth_states', row: stateHash, column: 'code_verifier' };
}
