import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Account, Client } from '../directory.ts';
import { randomText } from '../random-ids.ts';
import type { Switches } from '../switches.ts';
import { isSignInScope } from './scopes.ts';

const DAY_MS = 86_400_000;

/** What one account has granted to one Cloud project; dies as a whole (facts §1 "Revocation"). */
export type Grant = {
  projectId: string;
  sub: string;
  scopes: Set<string>;
  revokedAt: number | undefined;
};

type AuthorizationCode = {
  code: string;
  clientId: string;
  redirectUri: string;
  grant: Grant;
  scopes: string[];
  /** A refresh token goes with the tokens: offline access, and consent was really shown. */
  givesRefreshToken: boolean;
  nonce: string | undefined;
  challenge: { value: string; method: 'plain' | 'S256' } | undefined;
  issuedAt: number;
  used: boolean;
};

export type RefreshToken = {
  token: string;
  clientId: string;
  grant: Grant;
  scopes: string[];
  issuedAt: number;
  lastUsedAt: number;
  /** Death by its own hour (Testing mode). */
  expiresAt: number | undefined;
  /** When it was pushed out by newer ones. */
  replacedAt: number | undefined;
};

export type AccessToken = {
  token: string;
  clientId: string;
  grant: Grant;
  scopes: ReadonlySet<string>;
  expiresAt: number;
  refreshable: boolean;
};

/** Codes, tokens and the grants behind them. Times are epoch ms on the sandbox clock. */
export type GrantStore = {
  find(projectId: string, sub: string): Grant | undefined;
  /** The live grant with these scopes added, made when there is none. */
  extend(projectId: string, sub: string, scopes: readonly string[]): Grant;
  issueCode(code: Omit<AuthorizationCode, 'code' | 'issuedAt' | 'used'>): string;
  code(code: string): AuthorizationCode | undefined;
  issueRefreshToken(client: Client, grant: Grant, scopes: string[]): RefreshToken;
  refreshToken(token: string): RefreshToken | undefined;
  /** When the refresh token died; undefined while it lives. */
  deathOf(token: RefreshToken): number | undefined;
  issueAccessToken(
    client: Client,
    grant: Grant,
    scopes: readonly string[],
    refreshable: boolean,
  ): AccessToken;
  /** The access token while it works; undefined when unknown, expired or revoked. */
  accessToken(token: string): AccessToken | undefined;
  /** Kills the whole grant a token belongs to. False when there is nothing left to kill. */
  revokeByToken(token: string): boolean;
  /** Kills the grants of an account, of one project or of all. Returns how many. */
  revokeAccount(account: Account, projectId?: string): number;
  /** Every secret that was ever handed out. */
  issuedSecrets(): string[];
  rememberSecret(secret: string): void;
};

export function createGrantStore(clock: Clock, switches: Switches): GrantStore {
  const grants = new Map<string, Grant>();
  const codes = new Map<string, AuthorizationCode>();
  const refreshTokens = new Map<string, RefreshToken>();
  const accessTokens = new Map<string, AccessToken>();
  const refreshTokensByHolder = new Map<string, RefreshToken[]>();
  const secrets: string[] = [];

  const keyOf = (projectId: string, sub: string) => `${projectId} ${sub}`;

  function issued(secret: string): string {
    secrets.push(secret);
    return secret;
  }

  function kill(grant: Grant): void {
    grant.revokedAt = clock.now();
    grants.delete(keyOf(grant.projectId, grant.sub));
  }

  function deathOf(token: RefreshToken): number | undefined {
    const deaths = [
      token.grant.revokedAt,
      token.replacedAt,
      token.expiresAt,
      token.lastUsedAt + switches.idleRefreshTokenDays * DAY_MS,
    ].filter((at) => at !== undefined && at <= clock.now());
    return deaths.length === 0 ? undefined : Math.min(...(deaths as number[]));
  }

  return {
    find: (projectId, sub) => grants.get(keyOf(projectId, sub)),
    extend(projectId, sub, scopes) {
      let grant = grants.get(keyOf(projectId, sub));
      if (grant === undefined) {
        grant = { projectId, sub, scopes: new Set(), revokedAt: undefined };
        grants.set(keyOf(projectId, sub), grant);
      }
      for (const scope of scopes) grant.scopes.add(scope);
      return grant;
    },
    issueCode(details) {
      const code = issued(`4/0A${randomText(48)}`);
      codes.set(code, { ...details, code, issuedAt: clock.now(), used: false });
      return code;
    },
    code: (code) => codes.get(code),
    issueRefreshToken(client, grant, scopes) {
      const now = clock.now();
      const holder = `${client.clientId} ${grant.sub}`;
      const living = (refreshTokensByHolder.get(holder) ?? []).filter(
        (token) => deathOf(token) === undefined,
      );
      const limit = switches.newConsentRevokesOld ? 1 : switches.liveRefreshTokens;
      // The oldest dies without a word; whoever made the new token hears nothing (facts §1).
      for (const oldest of living.splice(0, living.length + 1 - limit)) oldest.replacedAt = now;
      const onlySignIn = scopes.every(isSignInScope);
      const token: RefreshToken = {
        token: issued(`1//0${randomText(75)}`),
        clientId: client.clientId,
        grant,
        scopes,
        issuedAt: now,
        lastUsedAt: now,
        expiresAt:
          client.publishingStatus === 'testing' && !onlySignIn
            ? now + switches.testingGrantDays * DAY_MS
            : undefined,
        replacedAt: undefined,
      };
      living.push(token);
      refreshTokensByHolder.set(holder, living);
      refreshTokens.set(token.token, token);
      return token;
    },
    refreshToken: (token) => refreshTokens.get(token),
    deathOf,
    issueAccessToken(client, grant, scopes, refreshable) {
      const token: AccessToken = {
        token: issued(`ya29.a0${randomText(150)}`),
        clientId: client.clientId,
        grant,
        scopes: new Set(scopes),
        expiresAt: clock.now() + switches.accessTokenTtlSeconds * 1000,
        refreshable,
      };
      accessTokens.set(token.token, token);
      return token;
    },
    accessToken(text) {
      const token = accessTokens.get(text);
      if (token === undefined || token.expiresAt <= clock.now()) return undefined;
      const { revokedAt } = token.grant;
      const works = revokedAt === undefined || clock.now() < revokedAt + switches.revocationDelayMs;
      return works ? token : undefined;
    },
    revokeByToken(text) {
      const access = accessTokens.get(text);
      const refresh = refreshTokens.get(text);
      const accessLives = access !== undefined && access.expiresAt > clock.now();
      const refreshLives = refresh !== undefined && deathOf(refresh) === undefined;
      const grant = accessLives ? access.grant : refreshLives ? refresh.grant : undefined;
      if (grant === undefined || grant.revokedAt !== undefined) return false;
      kill(grant);
      return true;
    },
    revokeAccount(account, projectId) {
      const hit = [...grants.values()].filter(
        (grant) =>
          grant.sub === account.sub && (projectId === undefined || grant.projectId === projectId),
      );
      hit.forEach(kill);
      return hit.length;
    },
    issuedSecrets: () => [...secrets],
    rememberSecret: (secret) => {
      secrets.push(secret);
    },
  };
}

/** Whether a PKCE verifier answers its challenge (RFC 7636 §4.6). */
export function answersChallenge(
  challenge: { value: string; method: 'plain' | 'S256' },
  verifier: string,
): boolean {
  if (challenge.method === 'plain') return verifier === challenge.value;
  return createHash('sha256').update(verifier).digest('base64url') === challenge.value;
}
