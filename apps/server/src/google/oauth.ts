import type * as Oidc from 'openid-client';
import type { GoogleConfig } from '../config.ts';
import { GoogleError, oauthFailureKind } from './failures.ts';
import { OAuthTransport } from './oauth-transport.ts';
import { retryAfterMs } from './retry-after.ts';

/** The one calendar scope: events to book into, and their list to see what is busy. */
export const calendarScope = 'https://www.googleapis.com/auth/calendar.events';
const requestedScope = `openid email ${calendarScope}`;

/** How long a call to the token, revocation or userinfo endpoint may take, in milliseconds. */
export const oauthTimeoutMs = 10_000;
const defaultLifetimeSeconds = 3_599;

/** What a code exchange or a refresh gave. */
export interface TokenGrant {
  readonly accessToken: string;
  /** Google sends one only with a consent, never with a refresh. */
  readonly refreshToken: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /**
   * When Google will end the refresh token by itself, in epoch milliseconds; null when it did not
   * say. It says so of clients in Testing mode (facts/google.md §1).
   */
  readonly refreshTokenExpiresAt: number | null;
  readonly scopes: readonly string[];
}

/** A consent that is about to start: the URL, and the secrets that its callback must match. */
export interface AuthorizationRequest {
  readonly url: string;
  readonly state: string;
  /** RFC 7636 */
  readonly codeVerifier: string;
}

export interface GoogleAccount {
  /** Google's stable id; e-mail addresses change hands. */
  readonly sub: string;
  readonly email: string;
}

/** The library, and this installation's client as the library sees it. */
interface Client {
  readonly oidc: typeof Oidc;
  readonly client: Oidc.Configuration;
}

/** Loaded when the first consent or refresh needs it: no start has to wait for it. */
async function openClient(
  config: GoogleConfig,
  transport: OAuthTransport,
  now: () => number,
): Promise<Client> {
  const oidc = await import('openid-client');
  const client = new oidc.Configuration(
    {
      issuer: 'https://accounts.google.com',
      authorization_endpoint: config.authUrl,
      token_endpoint: config.tokenUrl,
      revocation_endpoint: config.revokeUrl,
      userinfo_endpoint: config.userinfoUrl,
    },
    config.clientId,
    // id_tokens are checked by the clock that this server runs on, not by the machine's.
    { [oidc.clockSkew]: Math.round((now() - Date.now()) / 1_000) },
    oidc.ClientSecretPost(config.clientSecret),
  );
  client.timeout = oauthTimeoutMs / 1_000;
  client[oidc.customFetch] = transport.fetch;
  // Plain HTTP only where the operator configured a plain HTTP endpoint in so many words.
  const endpoints = [config.tokenUrl, config.revokeUrl, config.userinfoUrl];
  if (endpoints.some((url) => url.startsWith('http:'))) oidc.allowInsecureRequests(client);
  return { oidc, client };
}

/** Google's OAuth 2.0 endpoints (RFC 6749, RFC 7636, OpenID Connect), over openid-client. */
export class GoogleOAuth {
  readonly #config: GoogleConfig;
  readonly #redirectUri: string;
  readonly #now: () => number;
  readonly #transport = new OAuthTransport();
  #opened: Promise<Client> | undefined;

  /** @param now clock in epoch milliseconds */
  constructor(config: GoogleConfig, redirectUri: string, now: () => number) {
    this.#config = config;
    this.#redirectUri = redirectUri;
    this.#now = now;
  }

  /**
   * Prepares a consent. `prompt=consent` makes Google send a refresh token each time,
   * `select_account` lets the owner choose (facts/google.md §1).
   */
  async startAuthorization(): Promise<AuthorizationRequest> {
    const { oidc, client } = await this.#open();
    const state = oidc.randomState();
    const codeVerifier = oidc.randomPKCECodeVerifier();
    const url = oidc.buildAuthorizationUrl(client, {
      redirect_uri: this.#redirectUri,
      scope: requestedScope,
      access_type: 'offline',
      prompt: 'consent select_account',
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, state, codeVerifier };
  }

  /**
   * Exchanges the code of a callback for tokens.
   *
   * @param query the query of the callback, as received
   * @throws {GoogleError} kind `reauth` when the code is used, old or does not match
   */
  async exchangeCode(query: string, state: string, codeVerifier: string): Promise<TokenGrant> {
    const callback = new URL(this.#redirectUri);
    callback.search = query;
    return this.#tokens('token.exchange', ({ oidc, client }) =>
      oidc.authorizationCodeGrant(client, callback, {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
      }),
    );
  }

  /**
   * @throws {GoogleError} kind `reauth` when Google no longer accepts the refresh token, `operator`
   *   when it rejects this client, `transient` for everything else
   */
  async refresh(refreshToken: string): Promise<TokenGrant> {
    try {
      return await this.#tokens('token.refresh', ({ oidc, client }) =>
        oidc.refreshTokenGrant(client, refreshToken),
      );
    } catch (error) {
      if (!(error instanceof GoogleError) || error.kind !== 'refused') throw error;
      // An answer that nobody knows is no reason to give up a grant, nor a booking.
      throw new GoogleError(error.operation, { ...error, kind: 'transient' });
    }
  }

  /** Whose tokens these are. */
  async account(accessToken: string): Promise<GoogleAccount> {
    const claims = await this.#call('userinfo', ({ oidc, client }) =>
      oidc.fetchUserInfo(client, accessToken, oidc.skipSubjectCheck),
    );
    return { sub: claims.sub, email: claims.email ?? '' };
  }

  /**
   * Revokes the whole grant that a token belongs to (RFC 7009). A token that Google no longer
   * knows counts as revoked: that is what 400 `invalid_token` says.
   */
  async revoke(token: string): Promise<void> {
    try {
      await this.#call('revoke', ({ oidc, client }) => oidc.tokenRevocation(client, token));
    } catch (error) {
      if (error instanceof GoogleError && error.reason === 'invalid_token') return;
      throw error;
    }
  }

  /** Ends all connections; calls under way are cut. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #tokens(
    operation: string,
    request: (
      client: Client,
    ) => Promise<Oidc.TokenEndpointResponse & Oidc.TokenEndpointResponseHelpers>,
  ): Promise<TokenGrant> {
    const response = await this.#call(operation, request);
    const grantSeconds = response.refresh_token_expires_in;
    return {
      accessToken: response.access_token,
      refreshToken: response.refresh_token ?? null,
      expiresAt: this.#now() + (response.expires_in ?? defaultLifetimeSeconds) * 1_000,
      refreshTokenExpiresAt:
        typeof grantSeconds === 'number' ? this.#now() + grantSeconds * 1_000 : null,
      scopes: (response.scope ?? '').split(' ').filter(Boolean),
    };
  }

  async #call<T>(operation: string, request: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#open();
    try {
      return await request(client);
    } catch (error) {
      // The original holds tokens and codes in its request and response; it goes no further.
      throw toGoogleError(client.oidc, operation, error);
    }
  }

  #open(): Promise<Client> {
    this.#opened ??= openClient(this.#config, this.#transport, this.#now);
    return this.#opened;
  }
}

function waitOf(response: Response): number | null {
  return retryAfterMs(response.headers.get('retry-after'));
}

function toGoogleError(oidc: typeof Oidc, operation: string, error: unknown): GoogleError {
  if (error instanceof oidc.ResponseBodyError) {
    const { status, error: reason } = error;
    return new GoogleError(operation, {
      kind: oauthFailureKind(status, reason),
      status,
      reason,
      retryAfterMs: waitOf(error.response),
    });
  }
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    const { status } = error;
    // Google challenges a wrong client at the token endpoint, and a wrong token at userinfo.
    const kind = operation === 'userinfo' ? 'unauthorized' : 'operator';
    const reason = error.cause[0]?.parameters.error ?? 'unauthorized';
    return new GoogleError(operation, { kind, status, reason });
  }
  if (error instanceof oidc.ClientError && error.cause instanceof Response) {
    const { cause } = error;
    const { status } = cause;
    const kind = oauthFailureKind(status, '');
    // A page instead of JSON is an outage in between, whatever status it came with.
    const reason = 'unexpected_answer';
    return new GoogleError(operation, {
      kind: kind === 'refused' ? 'transient' : kind,
      status,
      reason,
      retryAfterMs: waitOf(cause),
    });
  }
  if (error instanceof oidc.ClientError && error.code?.startsWith('OAUTH_JWT')) {
    return new GoogleError(operation, { kind: 'refused', status: 200, reason: error.code });
  }
  const reason = error instanceof oidc.ClientError ? (error.code ?? 'unreachable') : 'unreachable';
  if (operation === 'token.exchange' && reason === 'OAUTH_INVALID_RESPONSE') {
    // The redirect itself was tampered with: another issuer, or a parameter that comes twice.
    return new GoogleError(operation, { kind: 'refused', status: null, reason });
  }
  return new GoogleError(operation, { kind: 'transient', status: null, reason });
}
