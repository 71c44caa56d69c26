import type { Bot } from '@calhook/contract';
import type { ConsentStepsTable } from '../db/index.ts';
import { newSecret } from '../identifiers.ts';
import { EnvelopeError, type SealedCell } from '../vault/index.ts';
import type { NewConnection } from './connection.ts';
import { ConsentError } from './consent-error.ts';
import type { ConsentParts } from './consent-parts.ts';
import { consumeStep, findStep, insertStep, takeExpiredSteps } from './consent-store.ts';
import { sha256 } from './hashes.ts';

/** How long an owner may think about replacing an account, in milliseconds. */
const replaceLifetimeMs = 10 * 60_000;
/** How long the page after a consent can disconnect what it connected, in milliseconds. */
const undoLifetimeMs = 30 * 60_000;

/** A grant of another account than the bot has, waiting for the owner's word. */
interface Replacement {
  readonly connected: NewConnection;
  readonly linkHash: string;
  /** The account that would be replaced; no other one will be. */
  readonly replaces: { readonly sub: string; readonly email: string };
}

interface Undo {
  readonly googleSub: string;
}

/** What the confirmation page shows. */
export interface Question {
  readonly bot: Bot;
  readonly from: string;
  readonly to: string;
}

/**
 * What an owner may still say after a consent: whether another account replaces the one before, or
 * "not me" to the account that was connected. Each step is sealed, told apart by a token that only
 * that page knows, taken once, and gone after a while.
 */
export class ConsentSteps {
  readonly #parts: ConsentParts;

  constructor(parts: ConsentParts) {
    this.#parts = parts;
  }

  /** Keeps a grant until the owner who holds the cookie decides; returns the step's token. */
  async ask(botId: string, cookie: string, replacement: Replacement): Promise<string> {
    return this.#keep('replace', botId, sha256(cookie), replacement, replaceLifetimeMs);
  }

  /** Lets the page that follows a consent disconnect what it connected; returns the token. */
  async offerUndo(botId: string, googleSub: string): Promise<string> {
    const undo: Undo = { googleSub };
    return this.#keep('undo', botId, null, undo, undoLifetimeMs);
  }

  /**
   * The question behind a token. Looking changes nothing.
   *
   * @throws {ConsentError} `step_unknown`, `cookie_mismatch`
   */
  async question(token: string, cookie: string | null): Promise<Question> {
    const step = await findStep(this.#parts.database, sha256(token));
    if (step?.kind !== 'replace') throw new ConsentError('step_unknown');
    if (cookie === null || step.cookie_hash !== sha256(cookie)) {
      throw new ConsentError('cookie_mismatch');
    }
    return this.#questionOf(step);
  }

  /**
   * Replaces the account, as the owner confirmed.
   *
   * @throws {ConsentError} `step_unknown` when it was answered before or too late, or the
   *   connection has changed since the question; `link_unknown` when the link was revoked
   */
  async replace(
    token: string,
    cookie: string | null,
  ): Promise<{ bot: Bot; email: string; undo: string }> {
    const { bot, replacement } = await this.#take(token, cookie);
    const { connected, linkHash, replaces } = replacement;
    const result = await this.#parts.connections.connect(bot.id, linkHash, connected, replaces.sub);
    if (result !== 'connected') {
      await this.#drop(replacement);
      throw new ConsentError(result === 'link_used' ? 'link_unknown' : 'step_unknown');
    }
    const { email, sub } = connected.account;
    return { bot, email, undo: await this.offerUndo(bot.id, sub) };
  }

  /**
   * Keeps the account that the bot has, and gives the new grant back.
   *
   * @throws {ConsentError} `step_unknown`
   */
  async decline(token: string, cookie: string | null): Promise<Question> {
    const { bot, replacement } = await this.#take(token, cookie);
    await this.#drop(replacement);
    return {
      bot,
      from: replacement.replaces.email,
      to: replacement.connected.account.email,
    };
  }

  /**
   * Disconnects what the consent before had connected.
   *
   * @throws {ConsentError} `step_unknown` when it was done before, or too late
   */
  async undo(token: string): Promise<Bot> {
    const step = await consumeStep(this.#parts.database, sha256(token), null);
    if (step?.kind !== 'undo') throw new ConsentError('step_unknown');
    const bot = await this.#botOf(step);
    const { googleSub } = this.#open<Undo>(step);
    await this.#parts.connections.disconnect(bot.id, googleSub);
    return bot;
  }

  /** Gives back the grants that nobody decided about in time. */
  async dropExpired(): Promise<void> {
    const expired = await takeExpiredSteps(this.#parts.database, this.#parts.now());
    for (const step of expired) {
      if (step.kind !== 'replace') continue;
      try {
        await this.#drop(this.#open<Replacement>(step));
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
        this.#parts.log.warn({ err: error }, 'grant could not be revoked at Google');
      }
    }
  }

  async #keep(
    kind: ConsentStepsTable['kind'],
    botId: string,
    cookieHash: string | null,
    content: Replacement | Undo,
    lifetimeMs: number,
  ): Promise<string> {
    const { database, vault, now } = this.#parts;
    const token = newSecret();
    const tokenHash = sha256(token);
    await insertStep(database, {
      token_hash: tokenHash,
      client_id: botId,
      kind,
      cookie_hash: cookieHash,
      sealed: vault.seal(stepCell(tokenHash), JSON.stringify(content)),
      expires_at: now() + lifetimeMs,
    });
    return token;
  }

  async #take(
    token: string,
    cookie: string | null,
  ): Promise<{ bot: Bot; replacement: Replacement }> {
    if (cookie === null) throw new ConsentError('cookie_mismatch');
    const step = await consumeStep(this.#parts.database, sha256(token), sha256(cookie));
    if (step?.kind !== 'replace') throw new ConsentError('step_unknown');
    const replacement = this.#open<Replacement>(step);
    try {
      return { bot: await this.#botOf(step), replacement };
    } catch (error) {
      await this.#drop(replacement);
      throw error;
    }
  }

  async #questionOf(step: ConsentStepsTable): Promise<Question> {
    const bot = await this.#botOf(step);
    const { replaces, connected } = this.#open<Replacement>(step);
    return { bot, from: replaces.email, to: connected.account.email };
  }

  async #botOf(step: ConsentStepsTable): Promise<Bot> {
    if (step.expires_at <= this.#parts.now()) throw new ConsentError('step_unknown');
    return this.#parts.bots.get(step.client_id);
  }

  #open<T extends Replacement | Undo>(step: ConsentStepsTable): T {
    return JSON.parse(this.#parts.vault.open(stepCell(step.token_hash), step.sealed)) as T;
  }

  async #drop({ connected }: Replacement): Promise<void> {
    const { account, grant } = connected;
    await this.#parts.connections.revokeUnlessUsed(account.sub, grant.refreshToken);
  }
}

function stepCell(tokenHash: string): SealedCell {
  return { table: 'consent_steps', row: tokenHash, column: 'sealed' };
}
