import type * as Undici from 'undici';
import type { GoogleConfig } from '../config.ts';
import { type NetworkProblem, networkProblem } from '../network-problem.ts';
import { GoogleOAuth } from './oauth.ts';

/** What an endpoint of Google said to a question that changes nothing there. */
export type ProbeAnswer =
  | {
      readonly answered: true;
      readonly status: number;
      /** Google's own word for what is wrong; null when the answer names nothing. */
      readonly error: string | null;
      /** How far this machine's clock is ahead of Google's, in milliseconds; null: not told. */
      readonly clockAheadMs: number | null;
    }
  | { readonly answered: false; readonly problem: NetworkProblem };

/** No refresh token has this form; that the client is right is what Google says first. */
const madeUpRefreshToken = 'calhook-doctor';

/** Errors that Google's authorization endpoint shows to people (facts/google.md §1, Callback). */
const authorizationErrors = [
  'redirect_uri_mismatch',
  'invalid_client',
  'deleted_client',
  'disabled_client',
  'unauthorized_client',
  'admin_policy_enforced',
  'org_internal',
  'invalid_scope',
  'invalid_request',
];

/** Asks Google's endpoints what can be asked without a grant, and without leaving a trace. */
export class GoogleProbe {
  readonly #config: GoogleConfig;
  readonly #redirectUri: string;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  #opened: Promise<{ agent: Undici.Agent; request: typeof Undici.request }> | undefined;

  /**
   * @param now clock in epoch milliseconds
   * @param timeoutMs longest wait for one answer
   */
  constructor(config: GoogleConfig, redirectUri: string, now: () => number, timeoutMs: number) {
    this.#config = config;
    this.#redirectUri = redirectUri;
    this.#now = now;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Offers a refresh token that never was: `invalid_grant` is Google's answer to the right client,
   * `invalid_client` to a wrong one (facts/google.md §1, token endpoint errors).
   */
  async token(): Promise<ProbeAnswer> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: madeUpRefreshToken,
      client_id: this.#config.clientId,
      client_secret: this.#config.clientSecret,
    });
    return this.#ask(this.#config.tokenUrl, form, ({ text }) => {
      const error = errorIn(text);
      return typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? error : null;
    });
  }

  /** Asks for the consent page exactly as an owner's browser would, and goes no further. */
  async authorization(): Promise<ProbeAnswer> {
    const oauth = new GoogleOAuth(this.#config, this.#redirectUri, this.#now);
    const { url } = await oauth.startAuthorization();
    return this.#ask(url, null, ({ status, location, text }) =>
      status >= 300 && status < 400 ? redirectedError(location) : shownError(status, text),
    );
  }

  /** Reads a calendar without a token; being refused is the answer of the right place. */
  async calendar(): Promise<ProbeAnswer> {
    const url = `${this.#config.apiUrl}/calendar/v3/calendars/primary/events?maxResults=1`;
    return this.#ask(url, null, ({ text }) => (errorIn(text) === undefined ? null : 'refused'));
  }

  /** Asks who the owner of no token is. */
  async userinfo(): Promise<ProbeAnswer> {
    return this.#ask(this.#config.userinfoUrl, null, () => null);
  }

  async close(): Promise<void> {
    await (await this.#opened)?.agent.destroy();
  }

  async #ask(
    url: string,
    form: URLSearchParams | null,
    readError: (answer: { status: number; location: string; text: string }) => string | null,
  ): Promise<ProbeAnswer> {
    this.#opened ??= import('undici').then(({ Agent, request }) => ({
      agent: new Agent({ connect: { timeout: this.#timeoutMs } }),
      request,
    }));
    const { agent, request } = await this.#opened;
    const askedAt = this.#now();
    try {
      const response = await request(url, {
        dispatcher: agent,
        method: form ? 'POST' : 'GET',
        headers: form ? { 'content-type': 'application/x-www-form-urlencoded' } : {},
        body: form ? form.toString() : null,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const answeredAt = this.#now();
      const { statusCode: status, headers } = response;
      const location = String(headers.location ?? '');
      const text = await response.body.text();
      // The header is cut to whole seconds (RFC 9110 §6.6.1): on average it is half a second old.
      const dateMs = Date.parse(String(headers.date)) + 500;
      const clockAheadMs = Number.isNaN(dateMs) ? null : (askedAt + answeredAt) / 2 - dateMs;
      return { answered: true, status, error: readError({ status, location, text }), clockAheadMs };
    } catch (error) {
      return { answered: false, problem: networkProblem(error) };
    }
  }
}

/**
 * The error in a redirect to Google's own error page. It is the first field of a message in
 * base64, in the parameter `authError`; seen in what people post of that page's address, and
 * documented nowhere.
 */
function redirectedError(location: string): string | null {
  const url = URL.parse(location, 'https://accounts.google.com');
  if (!url?.pathname.includes('/oauth/error')) return null;
  const message = Buffer.from(url.searchParams.get('authError') ?? '', 'base64').toString('latin1');
  return authorizationErrors.find((error) => message.startsWith(error, 2)) ?? 'unknown';
}

/** The error on a page that is shown in the place of the consent page. */
function shownError(status: number, page: string): string | null {
  const [, named] = /Error \d{3}: ([a-z_]{1,64})/.exec(page) ?? [];
  if (named !== undefined || status < 400 || status >= 500) return named ?? null;
  return authorizationErrors.find((error) => page.includes(error)) ?? null;
}

/** The `error` of a JSON answer; undefined when it has none, or is no JSON. */
function errorIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { error?: unknown } | null)?.error;
  } catch {
    return undefined;
  }
}
