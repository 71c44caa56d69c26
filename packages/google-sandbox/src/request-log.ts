import { headersByName, type RawHeaders } from './http/headers.ts';
import type { Query } from './http/query.ts';

/** One request as it arrived and how it was answered. */
export type LoggedRequest = {
  /** Epoch ms on the sandbox clock. */
  at: number;
  method: string;
  path: string;
  /** Name of the method, e.g. `events.insert`, `token`; `unknown` when no route matched. */
  route: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly query: Record<string, string | string[]>;
  /** 0 until answered; stays 0 when the connection was cut without an answer. */
  status: number;
  /** Parsed JSON or form body, raw text when it is neither, undefined when empty. */
  readonly body: unknown;
};

/** A request as it stands in the log; query and body are read only when someone looks. */
export class ArrivedRequest implements LoggedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  status = 0;
  readonly #rawHeaders: RawHeaders;
  readonly #query: Query;
  readonly #body: string | undefined;

  constructor(
    at: number,
    route: string,
    request: { method: string; path: string; rawHeaders: RawHeaders; query: Query },
    body: string | undefined,
  ) {
    this.at = at;
    this.method = request.method;
    this.path = request.path;
    this.route = route;
    this.#rawHeaders = request.rawHeaders;
    this.#query = request.query;
    this.#body = body;
  }

  get headers(): LoggedRequest['headers'] {
    return headersByName(this.#rawHeaders);
  }

  get query(): LoggedRequest['query'] {
    return valuesByName(this.#query.pairs);
  }

  get body(): unknown {
    const text = this.#body ?? '';
    if (text === '') return undefined;
    if (String(this.headers['content-type']).includes('application/x-www-form-urlencoded')) {
      return valuesByName(new URLSearchParams(text));
    }
    try {
      const parsed: unknown = JSON.parse(text);
      return parsed;
    } catch {
      return text;
    }
  }

  toJSON(): LoggedRequest {
    const { at, method, path, route, headers, query, status, body } = this;
    return { at, method, path, route, headers, query, status, body };
  }
}

/** Everything that reached the sandbox, oldest first, as an array with two extras. */
export type RequestLog = LoggedRequest[] & {
  clear(): void;
  /** The requests of one route, e.g. `requests.of('token')`. */
  of(route: string): LoggedRequest[];
};

export function createRequestLog(): RequestLog {
  const log: LoggedRequest[] = [];
  return Object.assign(log, {
    clear: () => {
      log.length = 0;
    },
    of: (route: string) => log.filter((entry) => entry.route === route),
  });
}

/** Appends, dropping the oldest half-a-log at a time so that appending stays cheap. */
export function remember(log: RequestLog, entry: LoggedRequest, keep: number): void {
  if (log.length >= keep * 2) log.splice(0, log.length - keep);
  log.push(entry);
}

/** `a=1&a=2&b=3` as `{a: ['1', '2'], b: '3'}`. */
function valuesByName(
  query: Iterable<readonly [string, string]>,
): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (const [name, value] of query) {
    const before = Object.hasOwn(object, name) ? object[name] : undefined;
    if (before === undefined) {
      Object.defineProperty(object, name, { value, enumerable: true, writable: true });
    } else object[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return object;
}
