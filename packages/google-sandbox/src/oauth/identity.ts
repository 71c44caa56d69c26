import { headerOf } from '../http/headers.ts';
import { json, type Reply } from '../http/reply.ts';
import type { Route, SandboxRequest } from '../http/router.ts';
import type { World } from '../world.ts';
import type { AccessToken } from './grants.ts';
import { EMAIL_SCOPE, isSignInScope, PROFILE_SCOPE, scopeText } from './scopes.ts';

/** Revocation, userinfo, tokeninfo, keys and discovery (facts §1, checks 26–31). */
export function identityRoutes(world: World): Route[] {
  const { clock, directory, grants, switches } = world;

  function claimsOf(token: AccessToken): Record<string, unknown> {
    const account = directory.accountBySub(token.grant.sub);
    const claims: Record<string, unknown> = { sub: token.grant.sub };
    if (account === undefined) return claims;
    if (token.scopes.has(PROFILE_SCOPE)) claims.name = account.name;
    if (token.scopes.has(EMAIL_SCOPE)) {
      Object.assign(claims, { email: account.email, email_verified: true });
    }
    return claims;
  }

  function userinfo(request: SandboxRequest): Reply {
    const token = grants.accessToken(bearerIn(headerOf(request, 'authorization') ?? ''));
    if (token === undefined) {
      return json(
        401,
        { error: 'invalid_request', error_description: 'Invalid Credentials' },
        { 'www-authenticate': BEARER_CHALLENGE },
      );
    }
    if (![...token.scopes].some(isSignInScope)) {
      return json(
        403,
        { error: 'insufficient_scope', error_description: 'Request had insufficient scopes.' },
        {
          'www-authenticate':
            'Bearer realm="https://accounts.google.com/", error="insufficient_scope"',
        },
      );
    }
    return json(200, claimsOf(token));
  }

  function tokenInfo(request: SandboxRequest): Reply {
    const form = new URLSearchParams(request.body);
    const text =
      request.query.get('access_token') ??
      form.get('access_token') ??
      bearerIn(headerOf(request, 'authorization') ?? '');
    const token = grants.accessToken(text);
    if (token === undefined) {
      return json(400, { error: 'invalid_token', error_description: 'Invalid Value' });
    }
    const { sub: _sub, name: _name, ...email } = claimsOf(token);
    return json(200, {
      azp: token.clientId,
      aud: token.clientId,
      sub: token.grant.sub,
      scope: scopeText(token.scopes),
      exp: String(Math.floor(token.expiresAt / 1000)),
      expires_in: String(Math.floor((token.expiresAt - clock.now()) / 1000)),
      ...email,
      access_type: token.refreshable ? 'offline' : 'online',
    });
  }

  return [
    {
      name: 'revoke',
      method: 'POST',
      path: '/revoke',
      handle(request) {
        const form = new URLSearchParams(request.body);
        const token = request.query.get('token') ?? form.get('token') ?? '';
        return grants.revokeByToken(token)
          ? json(200, {})
          : json(400, {
              error: 'invalid_token',
              error_description: 'Token expired or revoked',
            });
      },
    },
    { name: 'userinfo', method: 'GET', path: '/v1/userinfo', handle: userinfo },
    { name: 'userinfo', method: 'POST', path: '/v1/userinfo', handle: userinfo },
    { name: 'tokeninfo', method: 'GET', path: '/tokeninfo', handle: tokenInfo },
    { name: 'tokeninfo', method: 'POST', path: '/tokeninfo', handle: tokenInfo },
    {
      name: 'jwks',
      method: 'GET',
      path: '/oauth2/v3/certs',
      handle: async () => json(200, { keys: [(await world.signingKey).publicJwk] }),
    },
    {
      name: 'discovery',
      method: 'GET',
      path: '/.well-known/openid-configuration',
      handle() {
        const { endpoints } = world;
        return json(200, {
          issuer: switches.issuer,
          authorization_endpoint: endpoints.authUrl,
          token_endpoint: endpoints.tokenUrl,
          revocation_endpoint: endpoints.revokeUrl,
          userinfo_endpoint: endpoints.userinfoUrl,
          jwks_uri: endpoints.jwksUrl,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          scopes_supported: ['openid', 'email', 'profile'],
          token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
          claims_supported: ['aud', 'email', 'email_verified', 'exp', 'iat', 'iss', 'name', 'sub'],
          code_challenge_methods_supported: ['plain', 'S256'],
          grant_types_supported: ['authorization_code', 'refresh_token'],
        });
      },
    },
  ];
}

/** What a 401 says in WWW-Authenticate (facts §2 "Catalogue", 401). */
export const BEARER_CHALLENGE =
  'Bearer realm="https://accounts.google.com/", error="invalid_token"';

/** The token of an `Authorization: Bearer …` header; empty when it has none. */
export function bearerIn(authorization: string): string {
  return /^Bearer /i.test(authorization) ? authorization.slice(7).trim() : '';
}
