import type { Sandbox } from 'google-sandbox';

/** The variables that lead a server to a sandbox instead of Google; nothing else has to differ. */
export function googleOverrides(endpoints: Sandbox['endpoints']): Record<string, string> {
  return {
    CALHOOK_GOOGLE_AUTH_URL: endpoints.authUrl,
    CALHOOK_GOOGLE_TOKEN_URL: endpoints.tokenUrl,
    CALHOOK_GOOGLE_REVOKE_URL: endpoints.revokeUrl,
    CALHOOK_GOOGLE_USERINFO_URL: endpoints.userinfoUrl,
    CALHOOK_GOOGLE_API_URL: endpoints.apiUrl,
  };
}
