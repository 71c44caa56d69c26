import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../clock.ts';

/** Carries push messages to their receivers, with Google's rules of success and retry. */
export type Postman = {
  /** Posts an empty body; tries again later while `wanted` says so. */
  send(address: string, headers: Record<string, string>, wanted: () => boolean): void;
  idle(): Promise<void>;
  close(): void;
};

const SUCCESS = new Set([200, 201, 202, 204, 102]);
const WORTH_A_RETRY = new Set([500, 502, 503, 504]);
const FIRST_RETRY_MS = 1_000;
const LONGEST_WAIT_MS = 3_600_000;
/** After this many tries a message is lost. */
const TRIES = 12;
/** How long a receiver may take (real milliseconds). */
const ANSWER_TIMEOUT_MS = 10_000;

export function createPostman(clock: Clock): Postman {
  const underWay = new Set<AbortController>();
  let idleWaiters: (() => void)[] = [];

  async function attempt(
    address: string,
    headers: Record<string, string>,
    wanted: () => boolean,
    tries: number,
  ): Promise<void> {
    const abort = new AbortController();
    underWay.add(abort);
    const status = await post(address, headers, abort.signal);
    underWay.delete(abort);
    // A receiver that cannot be reached counts as 503.
    const again = status === undefined || WORTH_A_RETRY.has(status);
    if (again && !SUCCESS.has(status ?? 0) && tries < TRIES && !abort.signal.aborted) {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
      clock.schedule(clock.now() + wait, () => {
        if (wanted()) void attempt(address, headers, wanted, tries + 1);
      });
    }
    if (underWay.size > 0) return;
    for (const done of idleWaiters) done();
    idleWaiters = [];
  }

  return {
    send: (address, headers, wanted) => void attempt(address, headers, wanted, 1),
    idle: () =>
      underWay.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleWaiters.push(resolve);
          }),
    close() {
      for (const abort of underWay) abort.abort();
    },
  };
}

/** The status of the answer; undefined when there was none. */
function post(
  address: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const open = address.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const request = open(address, {
      method: 'POST',
      agent: false,
      signal,
      timeout: ANSWER_TIMEOUT_MS,
      headers: {
        ...headers,
        'Content-Length': '0',
        Accept: '*/*',
        'User-Agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
      },
    });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    // 102 Processing arrives as an information, before any answer, and counts as success.
    request.on('information', ({ statusCode }) => resolve(statusCode));
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
    request.end();
  });
}
