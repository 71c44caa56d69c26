import { CodeChallengeMethod, type OAuth2Client } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  CLIENT,
  connect,
  consent,
  oauthClient,
  REDIRECT,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

const DAY_MS = 86_400_000;
let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startTestSandbox();
});
afterEach(() => sandbox.close());

async function newCode(client: OAuth2Client, options = {}): Promise<string> {
  return (await consent(sandbox, client, options)).get('code') ?? '';
}

/** Refreshes with a client of its own, as another process would. */
async function refresh(token: string | null | undefined, client = oauthClient(sandbox)) {
  client.setCredentials({ refresh_token: token ?? '' });
  return (await client.refreshAccessToken()).credentials;
}

async function post(form: Record<string, string>): Promise<{ status: number; body: unknown }> {
  const response = await fetch(sandbox.endpoints.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: await response.json() };
}

const SECRETS = { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret };

describe('B. Token endpoint', () => {
  test('10 a valid code gives all tokens', async () => {
    const { tokens } = await connect(sandbox);
    expect(tokens).toMatchObject({ token_type: 'Bearer' });
    expect(tokens.access_token?.length).toBeLessThanOrEqual(2048);
    expect(tokens.refresh_token?.length).toBeLessThanOrEqual(512);
    expect(tokens.id_token?.split('.')).toHaveLength(3);
    expect(tokens.scope?.split(' ')).toHaveLength(3);
    const logged = sandbox.requests.of('token')[0];
    expect(logged?.status).toBe(200);
    // expires_in 3599: the library turns it into an expiry date.
    expect((tokens.expiry_date ?? 0) - Date.now()).toBeGreaterThan(3_590_000);
    expect((tokens.expiry_date ?? 0) - Date.now()).toBeLessThanOrEqual(3_599_000);
    const withoutOpenid = await connect(sandbox, {
      scope: ['https://www.googleapis.com/auth/calendar'],
    });
    expect(withoutOpenid.tokens.id_token).toBeUndefined();
  });

  test.each([undefined, 'online' as const])(
    '11 access_type %s gives no refresh token',
    async (accessType) => {
      const { tokens } = await connect(sandbox, { accessType });
      expect(tokens.access_token).toEqual(expect.any(String));
      expect(tokens.refresh_token).toBeUndefined();
    },
  );

  test('12 a second consent gives a refresh token only with prompt=consent, and the old one lives', async () => {
    const first = await connect(sandbox, { prompt: undefined });
    expect(first.tokens.refresh_token).toEqual(expect.any(String));
    const second = await connect(sandbox, { prompt: undefined });
    expect(second.tokens.refresh_token).toBeUndefined();
    const third = await connect(sandbox, { prompt: 'consent' });
    expect(third.tokens.refresh_token).not.toBe(first.tokens.refresh_token);
    expect((await refresh(first.tokens.refresh_token)).access_token).toEqual(expect.any(String));
    expect((await refresh(third.tokens.refresh_token)).access_token).toEqual(expect.any(String));

    sandbox.set({ newConsentRevokesOld: true });
    await connect(sandbox, { prompt: 'consent' });
    expect((await refusalOf(refresh(third.tokens.refresh_token))).body.error).toBe('invalid_grant');
  });

  test('13 a code works once', async () => {
    const client = oauthClient(sandbox);
    const code = await newCode(client);
    await client.getToken(code);
    const { status, body } = await refusalOf(client.getToken(code));
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('14 a code that is too old is refused', async () => {
    const client = oauthClient(sandbox);
    const code = await newCode(client);
    sandbox.clock.advance(10 * 60_000 + 1_000);
    const { status, body } = await refusalOf(client.getToken(code));
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('15 a redirect_uri other than that of the authorise step is refused', async () => {
    const client = oauthClient(sandbox);
    const { status, body } = await refusalOf(
      client.getToken({ code: await newCode(client), redirect_uri: `${REDIRECT}/other` }),
    );
    expect([status, body.error]).toEqual([400, 'redirect_uri_mismatch']);
  });

  test('16 a missing or wrong code_verifier is refused', async () => {
    const client = oauthClient(sandbox);
    const { codeVerifier, codeChallenge = '' } = await client.generateCodeVerifierAsync();
    const challenged = {
      extra: { code_challenge: codeChallenge, code_challenge_method: CodeChallengeMethod.S256 },
    };
    const missing = await refusalOf(client.getToken(await newCode(client, challenged)));
    expect([missing.status, missing.body]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'Missing code verifier.' },
    ]);
    const code = await newCode(client, challenged);
    // The library writes verifiers without a dot, so this one always differs.
    const wrong = await refusalOf(
      client.getToken({ code, codeVerifier: codeVerifier.replace(/^./, '.') }),
    );
    expect([wrong.status, wrong.body]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'Invalid code verifier.' },
    ]);
    expect((await client.getToken({ code, codeVerifier })).tokens.access_token).toBeDefined();
  });

  test('17 a wrong secret or an unknown client is 401 invalid_client', async () => {
    const code = await newCode(oauthClient(sandbox));
    for (const credentials of [
      { ...CLIENT, clientSecret: 'wrong' },
      { ...CLIENT, clientId: 'unknown' },
    ]) {
      const { status, body } = await refusalOf(oauthClient(sandbox, credentials).getToken(code));
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(body.error_description).toEqual(expect.any(String));
    }
  });

  test('18 a code of one client is nothing to another', async () => {
    const other = { ...CLIENT, clientId: '999-other.apps.googleusercontent.com' };
    sandbox.addClient(other);
    const code = await newCode(oauthClient(sandbox));
    const { status, body } = await refusalOf(oauthClient(sandbox, other).getToken(code));
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('19 a missing or unknown grant_type is refused', async () => {
    for (const form of [SECRETS, { ...SECRETS, grant_type: 'password' }]) {
      const { status, body } = await post(form);
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: 'unsupported_grant_type' });
    }
  });

  test('20 a refresh gives a new access token of the same scope, and no refresh token', async () => {
    const { tokens } = await connect(sandbox);
    const fresh = await post({
      ...SECRETS,
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
    });
    expect(fresh.status).toBe(200);
    expect(fresh.body).toMatchObject({
      scope: tokens.scope,
      expires_in: 3599,
      token_type: 'Bearer',
      id_token: expect.any(String),
    });
    expect(fresh.body).not.toHaveProperty('refresh_token');
    expect((fresh.body as { access_token: string }).access_token).not.toBe(tokens.access_token);

    const plain = await connect(sandbox, { scope: ['https://www.googleapis.com/auth/calendar'] });
    expect((await refresh(plain.tokens.refresh_token)).id_token).toBeUndefined();
  });

  test('21 a refresh after the user removed access is invalid_grant, in either wording', async () => {
    const { tokens } = await connect(sandbox);
    sandbox.revokeGrants(ADA, CLIENT.clientId);
    const { status, body } = await refusalOf(refresh(tokens.refresh_token));
    expect([status, body]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    ]);
    sandbox.set({ invalidGrantWording: 'bad-request' });
    expect((await refusalOf(refresh(tokens.refresh_token))).body).toEqual({
      error: 'invalid_grant',
      error_description: 'Bad Request',
    });
    sandbox.set({ invalidGrantWording: 'aging' });
    const young = await refusalOf(refresh(tokens.refresh_token));
    expect(young.body.error_description).toBe('Token has been expired or revoked.');
    sandbox.clock.advance(12 * 3_600_000);
    const old = await refusalOf(refresh(tokens.refresh_token));
    expect(old.body.error_description).toBe('Bad Request');
  });

  test('22 the 101st refresh token silently kills the oldest, and only that', async () => {
    const all: string[] = [];
    for (let index = 0; index < 101; index += 1) {
      all.push((await connect(sandbox)).tokens.refresh_token ?? '');
    }
    const { status, body } = await refusalOf(refresh(all[0]));
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    for (const token of all.slice(1)) {
      expect((await refresh(token)).access_token).toEqual(expect.any(String));
    }
  });

  test('23 Testing mode ends after seven days, and so does six months of idleness', async () => {
    const testing = { ...CLIENT, clientId: '777-testing', publishingStatus: 'testing' as const };
    sandbox.addClient(testing);
    const tested = await connect(sandbox, { client: testing });
    const signIn = await connect(sandbox, { client: testing, scope: ['openid', 'email'] });
    const real = await connect(sandbox);
    sandbox.clock.advance(7 * DAY_MS + 1);
    const { status, body } = await refusalOf(
      refresh(tested.tokens.refresh_token, oauthClient(sandbox, testing)),
    );
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    const spared = await refresh(signIn.tokens.refresh_token, oauthClient(sandbox, testing));
    expect(spared.access_token).toBeDefined();
    for (let month = 0; month < 8; month += 1) {
      sandbox.clock.advance(30 * DAY_MS);
      expect((await refresh(real.tokens.refresh_token)).access_token).toBeDefined();
    }
    sandbox.clock.advance(184 * DAY_MS);
    expect((await refusalOf(refresh(real.tokens.refresh_token))).body.error).toBe('invalid_grant');
  });

  test('24 /token can answer 500 and 503 as JSON and HTML, hang and reset, so many times', async () => {
    const { tokens } = await connect(sandbox);
    const form = {
      ...SECRETS,
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
    };
    const ask = (signal?: AbortSignal) =>
      fetch(sandbox.endpoints.tokenUrl, {
        method: 'POST',
        body: new URLSearchParams(form),
        ...(signal ? { signal } : {}),
      });
    for (const status of [500, 503]) {
      const inJson = sandbox.faults.add({
        route: 'token',
        times: 2,
        fault: { kind: 'status', status },
      });
      for (let time = 0; time < 2; time += 1) {
        const answer = await ask();
        expect([answer.status, await answer.json()]).toEqual([
          status,
          { error: 'internal_failure' },
        ]);
      }
      const inHtml = sandbox.faults.add({ route: 'token', fault: { kind: 'html', status } });
      const page = await ask();
      expect([page.status, page.headers.get('content-type')]).toEqual([
        status,
        'text/html; charset=utf-8',
      ]);
      expect((await page.text()).startsWith('<!DOCTYPE html>')).toBe(true);
      expect([inJson.hits, inHtml.hits]).toEqual([2, 1]);
      expect((await ask()).status).toBe(200);
    }
    sandbox.faults.add({ route: 'token', fault: { kind: 'reset' } });
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    const hang = sandbox.faults.add({ route: 'token', fault: { kind: 'hang', ms: 30_000 } });
    const stop = new AbortController();
    const hung = expect(ask(stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => hang.hits).toBe(1);
    stop.abort();
    await hung;
    const spared = sandbox.faults.add({
      route: 'token',
      after: 1,
      fault: { kind: 'status', status: 500 },
    });
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(500);
    expect(spared.hits).toBe(1);
    // Google's own client gets over one failure by itself.
    sandbox.faults.add({ route: 'token', fault: { kind: 'status', status: 503 } });
    expect((await refresh(tokens.refresh_token)).access_token).toEqual(expect.any(String));
  });

  test('25 admin_policy_enforced and invalid_rapt can be injected', async () => {
    const { tokens } = await connect(sandbox);
    sandbox.faults.add({
      route: 'token',
      fault: { kind: 'oauthError', error: 'admin_policy_enforced' },
    });
    const policy = await refusalOf(refresh(tokens.refresh_token));
    expect([policy.status, policy.body.error]).toEqual([400, 'admin_policy_enforced']);
    sandbox.faults.add({
      route: 'token',
      fault: {
        kind: 'oauthError',
        error: 'invalid_grant',
        subtype: 'invalid_rapt',
        description: 'reauth related error (invalid_rapt)',
      },
    });
    const { status, body } = await refusalOf(refresh(tokens.refresh_token));
    expect([status, body]).toEqual([
      400,
      {
        error: 'invalid_grant',
        error_subtype: 'invalid_rapt',
        error_description: 'reauth related error (invalid_rapt)',
      },
    ]);
    expect((await refresh(tokens.refresh_token)).access_token).toEqual(expect.any(String));
  });
});
