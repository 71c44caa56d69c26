import type { Sandbox } from 'google-sandbox';

/**
 * Opens a connect link and goes through consent as the owner of `account` would in a browser.
 *
 * @returns the page that the owner ends on
 */
export async function connectAs(
  sandbox: Pick<Sandbox, 'consent'>,
  connectUrl: string,
  choice: Parameters<Sandbox['consent']>[1],
): Promise<Response> {
  const start = await fetch(connectUrl, { method: 'POST', redirect: 'manual' });
  const consentUrl = start.headers.get('location');
  if (start.status !== 303 || !consentUrl) return start;
  const cookie = (start.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const callback = await sandbox.consent(consentUrl, choice);
  const page = await fetch(callback, { headers: { cookie } });
  // Another account than before: the owner means it.
  if (!new URL(page.url).pathname.startsWith('/connect/replace/')) return page;
  return fetch(page.url, { method: 'POST', headers: { cookie } });
}
