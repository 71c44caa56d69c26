/** How a person answers the consent page. */
export type ConsentChoice = {
  /** E-mail of the account to choose. */
  account: string;
  decision?: 'allow' | 'deny';
  /** Scopes (full or short names) whose boxes are unticked. */
  untick?: string[];
};

/**
 * Walks through account chooser and consent page over plain HTTP.
 * @returns the Location of the final redirect, which is not followed
 * @throws Error with the page's text when the request ends on an error page
 */
export async function driveConsent(
  authorizationUrl: string,
  choice: ConsentChoice,
): Promise<string> {
  let response = await fetch(authorizationUrl, { redirect: 'manual' });
  for (let step = 0; step < 3; step += 1) {
    const location = response.headers.get('location');
    if (location !== null) return location;
    const page = await response.text();
    if (response.status !== 200) throw new Error(`Consent refused: ${plainText(page)}`);
    response = await submit(new URL(response.url), page, choice);
  }
  throw new Error('The consent page did not end in a redirect.');
}

function submit(at: URL, page: string, choice: ConsentChoice): Promise<Response> {
  const action = attribute(page, /<form [^>]*action="([^"]*)"/);
  if (action === undefined) throw new Error(`Not a consent page: ${plainText(page)}`);
  const form = new URLSearchParams();
  for (const [, name = '', value = ''] of page.matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)">/g,
  )) {
    form.append(name, unescapeHtml(value));
  }
  if (form.has('account')) {
    for (const [, value = ''] of page.matchAll(
      /<input type="checkbox" name="scope"[^>]*? value="([^"]*)"/g,
    )) {
      const scope = unescapeHtml(value);
      if (!choice.untick?.some((name) => scope === name || scope.endsWith(`/${name}`))) {
        form.append('scope', scope);
      }
    }
    form.set('decision', choice.decision ?? 'allow');
  } else form.set('account', choice.account);
  return fetch(new URL(action, at), { method: 'POST', body: form, redirect: 'manual' });
}

function attribute(page: string, pattern: RegExp): string | undefined {
  const value = pattern.exec(page)?.[1];
  return value === undefined ? undefined : unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

function plainText(page: string): string {
  const main = page.slice(Math.max(page.indexOf('<main'), 0));
  return unescapeHtml(main.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')).trim();
}
