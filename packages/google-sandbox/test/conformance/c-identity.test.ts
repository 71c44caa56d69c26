import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  authorizationUrl,
  CLIENT,
  connect,
  consent,
  oauthClient,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startTestSandbox();
});
afterEach(() => sandbox.close());

function revokeByForm(token: string): Promise<Response> {
  return fetch(sandbox.endpoints.revokeUrl, {
    method: 'POST',
    body: new URLSearchParams({ token }),
  });
}

async function userinfo(token: string): Promise<Response> {
  return fetch(sandbox.endpoints.userinfoUrl, { headers: { authorization: `Bearer ${token}` } });
}

describe('C. Revoke and identity', () => {
  test('26 revoking a refresh token ends the grant with all its access tokens', async () => {
    for (const revoke of ['query', 'form']) {
      const { client, tokens, api } = await connect(sandbox);
      const second = await connect(sandbox);
      if (revoke === 'query') {
        // Google's client sends the token in the query.
        expect((await client.revokeToken(tokens.refresh_token ?? '')).status).toBe(200);
        expect(sandbox.requests.of('revoke')[0]?.query.token).toBe(tokens.refresh_token);
      } else {
        expect((await revokeByForm(tokens.refresh_token ?? '')).status).toBe(200);
      }
      client.setCredentials({ refresh_token: tokens.refresh_token ?? '' });
      const { status, body } = await refusalOf(client.refreshAccessToken());
      expect([status, body.error]).toEqual([400, 'invalid_grant']);
      client.setCredentials({ access_token: tokens.access_token ?? '' });
      expect((await refusalOf(api.events.list({ calendarId: 'primary' }))).status).toBe(401);
      second.client.setCredentials({ access_token: second.tokens.access_token ?? '' });
      const other = second.api.events.list({ calendarId: 'primary' });
      expect((await refusalOf(other)).status).toBe(401);
    }
  });

  test('27 revoking an access token ends its refresh token too', async () => {
    const { client, tokens } = await connect(sandbox);
    expect((await client.revokeToken(tokens.access_token ?? '')).status).toBe(200);
    client.setCredentials({ refresh_token: tokens.refresh_token ?? '' });
    expect((await refusalOf(client.refreshAccessToken())).body.error).toBe('invalid_grant');
  });

  test('28 revoking something unknown or already revoked is 400 invalid_token', async () => {
    const { client, tokens } = await connect(sandbox);
    await client.revokeToken(tokens.refresh_token ?? '');
    for (const token of ['unknown', tokens.refresh_token ?? '', tokens.access_token ?? '']) {
      const { status, body } = await refusalOf(client.revokeToken(token));
      expect([status, body.error]).toEqual([400, 'invalid_token']);
    }
  });

  test('29 GET /revoke is not there', async () => {
    const { tokens } = await connect(sandbox);
    const response = await fetch(`${sandbox.endpoints.revokeUrl}?token=${tokens.refresh_token}`);
    expect([404, 405]).toContain(response.status);
    const { client } = await connect(sandbox, { prompt: undefined });
    client.setCredentials({ refresh_token: tokens.refresh_token ?? '' });
    expect((await client.refreshAccessToken()).credentials.access_token).toBeDefined();
  });

  test('30 userinfo tells sub and email to a good token only', async () => {
    const { tokens } = await connect(sandbox);
    const response = await userinfo(tokens.access_token ?? '');
    expect(response.status).toBe(200);
    const info = (await response.json()) as { sub: string };
    expect(info).toEqual({
      sub: expect.stringMatching(/^\d{21}$/),
      email: ADA,
      email_verified: true,
    });
    const again = await connect(sandbox);
    expect(await (await userinfo(again.tokens.access_token ?? '')).json()).toEqual(info);
    expect((await userinfo('bad')).status).toBe(401);
    sandbox.clock.advance(3_600_000);
    expect((await userinfo(tokens.access_token ?? '')).status).toBe(401);
  });

  test('31 the id_token verifies with Google’s own client against the JWKS', async () => {
    const client = oauthClient(sandbox);
    const answer = await consent(sandbox, client, { extra: { nonce: 'n-0S6_WzA2Mj' } });
    const { tokens } = await client.getToken(answer.get('code') ?? '');
    const jwks = (await (await fetch(sandbox.endpoints.jwksUrl)).json()) as {
      keys: (JsonWebKey & { kid: string })[];
    };
    const ticket = await client.verifySignedJwtWithCertsAsync(
      tokens.id_token ?? '',
      Object.fromEntries(
        await Promise.all(jwks.keys.map(async (key) => [key.kid, await pem(key)])),
      ),
      CLIENT.clientId,
      ['https://accounts.google.com'],
    );
    expect(ticket.getPayload()).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: CLIENT.clientId,
      sub: ticket.getUserId(),
      email: ADA,
      email_verified: true,
      nonce: 'n-0S6_WzA2Mj',
    });
    expect(ticket.getEnvelope()).toMatchObject({ alg: 'RS256' });
    const info = (await (await userinfo(tokens.access_token ?? '')).json()) as { sub: string };
    expect(ticket.getUserId()).toBe(info.sub);

    // The same by discovery, with another issuer.
    sandbox.set({ issuer: 'https://issuer.example' });
    const discovered = (await (await fetch(sandbox.endpoints.discoveryUrl)).json()) as {
      issuer: string;
      jwks_uri: string;
    };
    expect(discovered).toMatchObject({
      issuer: 'https://issuer.example',
      jwks_uri: sandbox.endpoints.jwksUrl,
    });
    const other = await client.getToken((await consent(sandbox, client)).get('code') ?? '');
    const claims = JSON.parse(
      Buffer.from(other.tokens.id_token?.split('.')[1] ?? '', 'base64url').toString(),
    );
    expect(claims).toMatchObject({ iss: 'https://issuer.example' });
    expect(authorizationUrl(client)).toContain(sandbox.url);
  });
});

async function pem(key: JsonWebKey): Promise<string> {
  const { createPublicKey } = await import('node:crypto');
  return createPublicKey({ key: key as Record<string, unknown>, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
