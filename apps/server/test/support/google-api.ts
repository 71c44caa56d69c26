import type { Sandbox } from 'google-sandbox';

const client = {
  clientId: 'onlooker',
  clientSecret: 'onlooker-secret',
  redirectUris: ['http://127.0.0.1:9/callback'],
};

/** Calls of the Calendar API as the owner's own program would make them, with every right. */
export type GoogleApi = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** @returns calls below `/calendar/v3`, each undefined when Google refuses it with a 4xx */
export async function googleApiOf(sandbox: Sandbox, account: string): Promise<GoogleApi> {
  sandbox.addClient(client);
  const [redirectUri = ''] = client.redirectUris;
  const query = new URLSearchParams({
    client_id: client.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'https://www.googleapis.com/auth/calendar',
    state: 'state',
  });
  const callback = await sandbox.consent(`${sandbox.endpoints.authUrl}?${query}`, { account });
  const answer = await fetch(sandbox.endpoints.tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(callback).searchParams.get('code') ?? '',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uri: redirectUri,
    }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return async (method, path, body) => {
    const response = await fetch(`${sandbox.endpoints.apiUrl}/calendar/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status === 401 || response.status >= 500) throw new Error(text);
    return response.ok && text !== '' ? JSON.parse(text) : undefined;
  };
}
