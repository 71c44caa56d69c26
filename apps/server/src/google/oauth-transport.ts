import type * as Oidc from 'openid-client';
import type { Agent } from 'undici';

/** Cap on calls under way at once to each of Google's OAuth hosts; more wait their turn. */
const maxConnections = 64;
const connectTimeoutMs = 5_000;
/** Statuses whose answers have no body (WHATWG Fetch, null body status). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * What carries the calls of openid-client. The platform's `fetch`, its default, opens a connection
 * for every call that finds none free, however many tokens end at once; and a refresh through it
 * takes twice the processor time.
 */
export class OAuthTransport {
  #agent: Promise<Agent> | undefined;

  readonly fetch: Oidc.CustomFetch = async (url, { method, headers, body, signal }) => {
    const agent = await this.#open();
    const { origin, pathname, search } = new URL(url);
    const response = await agent.request({
      origin,
      path: pathname + search,
      method: method as 'GET' | 'POST',
      headers,
      body: body ? String(body) : null,
      signal: signal ?? null,
    });
    const text = await response.body.text();
    const answered = Object.entries(response.headers).flatMap(([name, value = []]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    );
    return new Response(bodiless.has(response.statusCode) ? null : text, {
      status: response.statusCode,
      headers: answered,
    });
  };

  /** Ends all connections; calls under way are cut. */
  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }

  /** Loaded when the first call needs it, like the pool of Calendar calls. */
  #open(): Promise<Agent> {
    this.#agent ??= import('undici').then(
      ({ Agent }) =>
        new Agent({ connections: maxConnections, connect: { timeout: connectTimeoutMs } }),
    );
    return this.#agent;
  }
}
