import type { Client } from '../directory.ts';
import { headerOf } from '../http/headers.ts';
import { json, type Reply } from '../http/reply.ts';
import type { Route, SandboxRequest } from '../http/router.ts';
import type { World } from '../world.ts';
import { answersChallenge, type Grant, type RefreshToken } from './grants.ts';
import { accessTokenHash, signJwt } from './id-token.ts';
import { EMAIL_SCOPE, PROFILE_SCOPE, scopeText } from './scopes.ts';

const HOUR_MS = 3_600_000;

/** Every refusal of the token endpoint (facts §1 "Token endpoint errors"). */
const REFUSALS = {
  noClient: [400, 'invalid_request', 'Could not determine client ID from request.'],
  unknownClient: [401, 'invalid_client', 'The OAuth client was not found.'],
  wrongSecret: [401, 'invalid_client', 'Unauthorized'],
  badGrantType: [400, 'unsupported_grant_type', 'Invalid grant_type: '],
  missingCode: [400, 'invalid_request', 'Missing required parameter: code'],
  malformedCode: [400, 'invalid_grant', 'Malformed auth code.'],
  deadCode: [400, 'invalid_grant', 'Bad Request'],
  redirectMismatch: [400, 'redirect_uri_mismatch', 'Bad Request'],
  missingVerifier: [400, 'invalid_grant', 'Missing code verifier.'],
  wrongVerifier: [400, 'invalid_grant', 'Invalid code verifier.'],
  missingRefreshToken: [400, 'invalid_request', 'Missing required parameter: refresh_token'],
  revoked: [400, 'invalid_grant', 'Token has been expired or revoked.'],
  deadToken: [400, 'invalid_grant', 'Bad Request'],
  wrongClient: [401, 'unauthorized_client', 'Unauthorized'],
  broaderScope: [400, 'invalid_scope', 'Bad Request'],
} as const satisfies Record<string, readonly [number, string, string]>;

function refuse(name: keyof typeof REFUSALS, more = ''): Reply {
  const [status, error, description] = REFUSALS[name];
  return json(status, { error, error_description: description + more }, NO_STORE);
}

const NO_STORE = { 'cache-control': 'no-cache, no-store, max-age=0, must-revalidate' };

/** POST /token: authorization codes and refresh tokens against access tokens. */
export function tokenRoute(world: World): Route {
  const { clock, directory, grants, switches } = world;

  async function idToken(client: Client, grant: Grant, accessToken: string, nonce?: string) {
    const account = directory.accountBySub(grant.sub);
    const seconds = Math.floor(clock.now() / 1000);
    const claims: Record<string, unknown> = {
      iss: switches.issuer,
      azp: client.clientId,
      aud: client.clientId,
      sub: grant.sub,
      at_hash: accessTokenHash(accessToken),
      iat: seconds,
      exp: seconds + 3600,
    };
    if (grant.scopes.has(EMAIL_SCOPE) && account !== undefined) {
      Object.assign(claims, { email: account.email, email_verified: true });
    }
    if (grant.scopes.has(PROFILE_SCOPE) && account !== undefined) claims.name = account.name;
    if (nonce !== undefined) claims.nonce = nonce;
    const token = signJwt(await world.signingKey, claims);
    grants.rememberSecret(token);
    return token;
  }

  async function tokens(
    client: Client,
    grant: Grant,
    scopes: readonly string[],
    extra: { refreshToken?: RefreshToken; refreshable: boolean; nonce?: string | undefined },
  ): Promise<Reply> {
    const access = grants.issueAccessToken(client, grant, scopes, extra.refreshable);
    const body: Record<string, unknown> = {
      access_token: access.token,
      expires_in: switches.accessTokenTtlSeconds,
    };
    const { refreshToken } = extra;
    if (refreshToken !== undefined) {
      body.refresh_token = refreshToken.token;
      if (switches.sendRefreshTokenExpiresIn && refreshToken.expiresAt !== undefined) {
        body.refresh_token_expires_in = Math.floor((refreshToken.expiresAt - clock.now()) / 1000);
      }
    }
    body.scope = scopeText(scopes);
    body.token_type = 'Bearer';
    if (scopes.includes('openid')) {
      body.id_token = await idToken(client, grant, access.token, extra.nonce);
    }
    return json(200, body, NO_STORE);
  }

  function redeemCode(form: URLSearchParams, client: Client): Reply | Promise<Reply> {
    const text = form.get('code') ?? '';
    if (text === '') return refuse('missingCode');
    if (!text.startsWith('4/')) return refuse('malformedCode');
    const code = grants.code(text);
    if (code === undefined || code.used || code.clientId !== client.clientId) {
      return refuse('deadCode');
    }
    if (clock.now() - code.issuedAt > switches.authorizationCodeTtlMs) return refuse('deadCode');
    if (code.grant.revokedAt !== undefined) return refuse('deadCode');
    if (form.get('redirect_uri') !== code.redirectUri) return refuse('redirectMismatch');
    if (code.challenge !== undefined) {
      const verifier = form.get('code_verifier') ?? '';
      if (verifier === '') return refuse('missingVerifier');
      if (!answersChallenge(code.challenge, verifier)) return refuse('wrongVerifier');
    }
    code.used = true;
    const { grant, scopes, nonce, givesRefreshToken } = code;
    const refreshToken = givesRefreshToken
      ? { refreshToken: grants.issueRefreshToken(client, grant, scopes) }
      : {};
    return tokens(client, grant, scopes, {
      ...refreshToken,
      refreshable: givesRefreshToken,
      nonce,
    });
  }

  function refresh(form: URLSearchParams, client: Client): Reply | Promise<Reply> {
    const text = form.get('refresh_token') ?? '';
    if (text === '') return refuse('missingRefreshToken');
    const token = grants.refreshToken(text);
    if (token === undefined) return refuse('deadToken');
    if (token.clientId !== client.clientId) return refuse('wrongClient');
    const death = grants.deathOf(token);
    if (death !== undefined) return refuse(wordingFor(death));
    const asked = form.get('scope');
    const scopes = asked === null ? token.scopes : asked.split(' ').filter((name) => name !== '');
    if (!scopes.every((scope) => token.scopes.includes(scope))) return refuse('broaderScope');
    token.lastUsedAt = clock.now();
    return tokens(client, token.grant, scopes, { refreshable: true });
  }

  function wordingFor(death: number): 'revoked' | 'deadToken' {
    const { invalidGrantWording } = switches;
    const aged = clock.now() - death >= 12 * HOUR_MS;
    const second =
      invalidGrantWording === 'bad-request' || (invalidGrantWording === 'aging' && aged);
    return second ? 'deadToken' : 'revoked';
  }

  return {
    name: 'token',
    method: 'POST',
    path: '/token',
    handle(request) {
      const form = new URLSearchParams(request.body);
      const credentials = clientCredentials(request, form);
      if (credentials.id === '') return refuse('noClient');
      const client = directory.client(credentials.id);
      if (client === undefined) return refuse('unknownClient');
      if (client.clientSecret !== credentials.secret) return refuse('wrongSecret');
      const grantType = form.get('grant_type') ?? '';
      if (grantType === 'authorization_code') return redeemCode(form, client);
      if (grantType === 'refresh_token') return refresh(form, client);
      return refuse('badGrantType', grantType);
    },
  };
}

/** client_secret_post, or client_secret_basic (RFC 6749 §2.3.1). */
function clientCredentials(
  request: SandboxRequest,
  form: URLSearchParams,
): { id: string; secret: string } {
  const basic = /^Basic\s+(\S+)$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
  if (basic === undefined) {
    return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  }
  // A query string of one pair decodes exactly as the form encoding of RFC 6749 does.
  const [id = '', secret = ''] = Buffer.from(basic, 'base64')
    .toString('utf8')
    .split(':')
    .map((part) => new URLSearchParams(`v=${part}`).get('v') ?? '');
  return { id, secret };
}
