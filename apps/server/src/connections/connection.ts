import { ApiError } from '../api-error.ts';
import type { GoogleTokensTable } from '../db/index.ts';
import type { GoogleAccount, TokenGrant } from '../google/index.ts';
import { EnvelopeError, type SealedCell, type Vault } from '../vault/index.ts';

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

/** Every booking goes to the account's own calendar (design §6). */
export const primaryCalendar = 'primary';

/** Identifies a calendar across bots, since two bots may share one. */
export function calendarKey(connection: Pick<Connection, 'googleSub' | 'calendarId'>): string {
  return `${connection.googleSub}/${connection.calendarId}`;
}

const tokenCell = (botId: string, column: 'access_token' | 'refresh_token'): SealedCell => ({
  table: 'google_tokens',
  row: botId,
  column,
});

/** The two token columns of a bot's row, sealed for where they go. */
export function sealTokens(
  vault: Vault,
  botId: string,
  tokens: { readonly accessToken: string; readonly refreshToken: string },
): Pick<GoogleTokensTable, 'access_token' | 'refresh_token'> {
  return {
    access_token: vault.seal(tokenCell(botId, 'access_token'), tokens.accessToken),
    refresh_token: vault.seal(tokenCell(botId, 'refresh_token'), tokens.refreshToken),
  };
}

/** @throws {ApiError} `calendar_grant_unreadable` when a token does not open in its row */
export function openConnection(vault: Vault, row: GoogleTokensTable): Connection {
  const botId = row.client_id;
  const open = (column: 'access_token' | 'refresh_token') => {
    try {
      return vault.open(tokenCell(botId, column), row[column]);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      throw new ApiError('calendar_grant_unreadable', { cause: error });
    }
  };
  return {
    botId,
    accessToken: open('access_token'),
    refreshToken: open('refresh_token'),
    expiresAt: row.expiry_date,
    googleSub: row.google_sub,
    calendarId: row.calendar_id,
    status: row.status,
    version: row.version,
  };
}
