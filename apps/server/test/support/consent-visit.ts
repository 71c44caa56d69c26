import type { Answer, TestApp } from './test-app.ts';

/** A browser's part in a consent: it holds one cookie and follows redirects by hand. */
export interface Browser {
  cookie: string | null;
}

/** Makes a connect link; returns its path. */
export async function connectLink(server: TestApp, botId: string): Promise<string> {
  const link = await server.call('POST', `/api/calendar/connect/${botId}`);
  return new URL(String(link.body.url)).pathname;
}

async function visit(
  server: TestApp,
  browser: Browser,
  method: string,
  path: string,
): Promise<Answer> {
  const answer = await server.send(path, {
    method,
    headers: browser.cookie === null ? {} : { cookie: browser.cookie },
  });
  const [set] = answer.headers.getSetCookie();
  if (set !== undefined) browser.cookie = set.split(';')[0] || null;
  return answer;
}

/** Presses the button of the connect page. */
export function startConsent(server: TestApp, browser: Browser, link: string): Promise<Answer> {
  return visit(server, browser, 'POST', link);
}

/** Follows Google's redirect back. */
export function followCallback(
  server: TestApp,
  browser: Browser,
  callbackUrl: string,
): Promise<Answer> {
  const { pathname, search } = new URL(callbackUrl);
  return visit(server, browser, 'GET', pathname + search);
}

/** A consent page's address and the browser that is on it, after link and button. */
export async function openConsent(
  server: TestApp,
  botId: string,
): Promise<{ browser: Browser; link: string; consentUrl: string }> {
  const link = await connectLink(server, botId);
  const browser: Browser = { cookie: null };
  const start = await startConsent(server, browser, link);
  const consentUrl = start.headers.get('location');
  if (start.status !== 303 || consentUrl === null) throw new Error(`start: ${start.status}`);
  return { browser, link, consentUrl };
}
