import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  authorizationUrl,
  BOB,
  CLIENT,
  consent,
  EVENTS_SCOPE,
  oauthClient,
  REDIRECT,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.close());

/** Opens the authorization URL with some parameters changed (null removes one). */
async function open(changes: Record<string, string | null>, cookie?: string): Promise<Response> {
  const url = new URL(authorizationUrl(oauthClient(sandbox), { prompt: undefined }));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return fetch(url, { redirect: 'manual', ...(cookie ? { headers: { cookie } } : {}) });
}

async function expectErrorPage(response: Response, status: number, error: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(response.headers.get('location')).toBeNull();
  expect(await response.text()).toContain(error);
}

describe('A. OAuth authorise', () => {
  test('01 an unregistered redirect_uri ends on a 400 page, not in a redirect', async () => {
    const response = await open({ redirect_uri: 'https://evil.example/callback' });
    await expectErrorPage(response, 400, 'redirect_uri_mismatch');
  });

  test.each([
    `${REDIRECT}/`,
    REDIRECT.replace('callback', 'Callback'),
    `${REDIRECT}?x=1`,
    REDIRECT.replace('http:', 'https:'),
  ])('02 a redirect_uri that differs a little is refused: %s', async (redirect_uri) => {
    await expectErrorPage(await open({ redirect_uri }), 400, 'redirect_uri_mismatch');
  });

  test('03 an unknown client_id ends on an error page', async () => {
    const response = await open({ client_id: 'nobody.apps.googleusercontent.com' });
    await expectErrorPage(response, 401, 'invalid_client');
  });

  test.each([
    { scope: null },
    { response_type: null },
    { response_type: 'token' },
    { redirect_uri: null },
    { client_id: null },
  ])('04 a missing or wrong parameter ends on a 400 page: %j', async (changes) => {
    await expectErrorPage(await open(changes), 400, 'invalid_request');
  });

  test('05 denial comes back as access_denied with the same state', async () => {
    const client = oauthClient(sandbox);
    const location = await sandbox.consent(authorizationUrl(client, { extra: { state: 'st-1' } }), {
      account: ADA,
      decision: 'deny',
    });
    expect(location.startsWith(`${REDIRECT}?`)).toBe(true);
    expect(Object.fromEntries(new URL(location).searchParams)).toEqual({
      error: 'access_denied',
      state: 'st-1',
    });
  });

  test('06 consent comes back with code, scope and the very same state', async () => {
    const state = 'a+b/c=d&e f%20g ünïcode 日本 "quoted" <tag>';
    const answer = await consent(sandbox, oauthClient(sandbox), { extra: { state } });
    expect(answer.get('state')).toBe(state);
    expect(answer.get('code')).toMatch(/^4\/.{20,250}$/);
    expect(answer.get('scope')?.split(' ').sort()).toEqual([
      EVENTS_SCOPE,
      'https://www.googleapis.com/auth/userinfo.email',
      'openid',
    ]);
  });

  test('07 an unticked calendar box still succeeds, without that scope', async () => {
    const client = oauthClient(sandbox);
    const answer = await consent(sandbox, client, { untick: [EVENTS_SCOPE] });
    const { tokens } = await client.getToken(answer.get('code') ?? '');
    expect(tokens.scope).toBe('https://www.googleapis.com/auth/userinfo.email openid');
    expect(tokens.refresh_token).toEqual(expect.any(String));
  });

  test('08 login_hint suggests an account but does not enforce it', async () => {
    const client = oauthClient(sandbox);
    const answer = await consent(sandbox, client, { account: BOB, extra: { login_hint: ADA } });
    const { tokens } = await client.getToken(answer.get('code') ?? '');
    expect((await client.getTokenInfo(tokens.access_token ?? '')).email).toBe(BOB);
  });

  test('09 prompt=none without a session or a grant comes back as an error', async () => {
    const stranger = await open({ prompt: 'none', state: 's' });
    expect(stranger.status).toBe(302);
    const answer = new URL(stranger.headers.get('location') ?? '').searchParams;
    expect(answer.get('error')).toBe('login_required');
    expect(answer.get('state')).toBe('s');

    await sandbox.revokeGrants(BOB);
    const cookie = await signIn(BOB);
    const ungranted = await open({ prompt: 'none' }, cookie);
    expect(new URL(ungranted.headers.get('location') ?? '').searchParams.get('error')).toBe(
      'interaction_required',
    );
    await consent(sandbox, oauthClient(sandbox), { account: BOB });
    const granted = await open({ prompt: 'none' }, cookie);
    expect(new URL(granted.headers.get('location') ?? '').searchParams.get('code')).toMatch(/^4\//);
  });
});

/** Chooses an account in the browser; returns its session cookie. */
async function signIn(email: string): Promise<string> {
  const url = new URL(authorizationUrl(oauthClient(sandbox)));
  const response = await fetch(`${sandbox.endpoints.authUrl}/account`, {
    method: 'POST',
    body: new URLSearchParams({ request: url.search.slice(1), account: email }),
    redirect: 'manual',
  });
  expect(response.status).toBe(200);
  expect(CLIENT.clientId).not.toBe('');
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
