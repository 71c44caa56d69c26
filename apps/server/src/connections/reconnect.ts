import { BotId } from '@calhook/contract';
import Value from 'typebox/value';
import type { Vault } from '../vault/index.ts';
import type { ConnectionState } from './store.ts';

const purpose = 'reconnect link';

/** What a reconnect link is bound to: it ends when the connection is mended, replaced or gone. */
function boundTo(botId: string, state: ConnectionState): string {
  return `${botId}|${state.created_at}|${state.status_since}`;
}

/** Whether a connection waits for its owner. */
export function needsOwner({ status }: Pick<ConnectionState, 'status'>): boolean {
  return status === 'needs_reauth' || status === 'missing_scopes';
}

/**
 * Links by which an owner mends a connection: signed, not stored, so that they can stand in every
 * answer of the status. They may be mailed around, and accept only the account that was connected.
 */
export class ReconnectLinks {
  readonly #vault: Vault;
  readonly #publicUrl: string;

  constructor(vault: Vault, publicUrl: string) {
    this.#vault = vault;
    this.#publicUrl = publicUrl;
  }

  /** The link of a connection that waits for its owner; null for any other. */
  url(botId: string, state: ConnectionState): string | null {
    if (!needsOwner(state)) return null;
    const signature = this.#vault.sign(purpose, boundTo(botId, state));
    return `${this.#publicUrl}/reconnect/${Buffer.from(botId).toString('base64url')}.${signature}`;
  }

  /**
   * The bot that a link names, null when it names none; whether it may is for
   * {@link ReconnectLinks.accepts} to say.
   */
  botId(token: string): string | null {
    const named = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
    return Value.Check(BotId, named) ? named : null;
  }

  /** Whether a link was made for the connection as it is. */
  accepts(token: string, botId: string, state: ConnectionState): boolean {
    const signature = token.split('.')[1] ?? '';
    return needsOwner(state) && this.#vault.verify(purpose, boundTo(botId, state), signature);
  }
}
