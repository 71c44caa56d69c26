import type { Sandbox } from 'google-sandbox';

/** The requests for a new access token that reached Google. */
export function refreshesAt(sandbox: Sandbox) {
  return sandbox.requests
    .of('token')
    .filter(({ body }) => (body as Record<string, string>).grant_type === 'refresh_token');
}
