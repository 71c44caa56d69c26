import { type ApiErrorName, isApiErrorName } from './calendar/errors.ts';

/** What goes wrong. Times are milliseconds on the sandbox clock. */
export type Fault =
  /** Answers with this status and body instead of doing anything. */
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  /** Answers with an error of the Calendar catalogue, e.g. `accessNotConfigured`, `backendError`. */
  | { kind: 'apiError'; name: ApiErrorName }
  /** Answers with an HTML error page, as Google's infrastructure does. */
  | { kind: 'html'; status: number }
  /** Does the work, then answers with the first half of the body only. */
  | { kind: 'truncated' }
  /** Does the work, then sends the body at this pace (real time). */
  | { kind: 'slow'; bytesPerSecond: number }
  /** Holds the request for `ms`; then does the work if the caller is still there. */
  | { kind: 'hang'; ms: number }
  /** Cuts the connection (TCP reset) without doing anything. */
  | { kind: 'reset' }
  /** Does the work, then cuts the connection: done, answer lost. */
  | { kind: 'commitThenDrop' }
  /** An OAuth error answer, e.g. `admin_policy_enforced` or `invalid_grant` with `invalid_rapt`. */
  | {
      kind: 'oauthError';
      error: string;
      subtype?: string;
      description?: string;
      status?: number;
    };

/** Which requests it hits: a route name as in the request log, or `*` for all but the admin API. */
export type FaultRule = {
  route: string;
  /** How many requests it hits; default 1. */
  times?: number;
  /** How many matching requests pass unharmed first; default 0. */
  after?: number;
  fault: Fault;
};

export type FaultHandle = {
  readonly id: string;
  readonly rule: FaultRule;
  /** Requests hit so far. */
  readonly hits: number;
  remove(): void;
};

export type FaultRegistry = {
  /** @throws TypeError when the fault is not one of the kinds. */
  add(rule: FaultRule): FaultHandle;
  clear(): void;
  /** Every rule still in force or spent, in the order they were added. */
  list(): FaultHandle[];
  /** Takes the fault for a request of this route, if one is due. */
  take(route: string): Fault | undefined;
};

type Standing = { id: string; rule: FaultRule; seen: number; hits: number };

/** The fields each kind needs, and their types. */
const NEEDED: Record<Fault['kind'], Record<string, 'number' | 'string'>> = {
  status: { status: 'number' },
  apiError: { name: 'string' },
  html: { status: 'number' },
  truncated: {},
  slow: { bytesPerSecond: 'number' },
  hang: { ms: 'number' },
  reset: {},
  commitThenDrop: {},
  oauthError: { error: 'string' },
};

function assertRule(rule: FaultRule): void {
  const fault: Record<string, unknown> = { ...rule.fault };
  const kind = fault.kind;
  if (typeof rule.route !== 'string') throw new TypeError('A fault needs a route.');
  if (typeof kind !== 'string' || !Object.hasOwn(NEEDED, kind)) {
    throw new TypeError(`A fault's kind is one of ${Object.keys(NEEDED).join(', ')}.`);
  }
  for (const [field, type] of Object.entries(NEEDED[kind as Fault['kind']])) {
    if (typeof fault[field] !== type)
      throw new TypeError(`Fault ${kind} needs a ${type} ${field}.`);
  }
  const status = fault.status;
  if (
    status !== undefined &&
    !(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599)
  ) {
    throw new TypeError('A fault answers with a status from 200 to 599.');
  }
  const name = fault.name;
  if (kind === 'apiError' && !(typeof name === 'string' && isApiErrorName(name))) {
    throw new TypeError(`There is no Calendar error "${String(name)}".`);
  }
  for (const count of [rule.times, rule.after]) {
    if (count !== undefined && !(typeof count === 'number' && count >= 0)) {
      throw new TypeError('`times` and `after` are counts.');
    }
  }
}

export function createFaultRegistry(): FaultRegistry {
  const standing: Standing[] = [];
  let nextId = 1;

  function handle(entry: Standing): FaultHandle {
    return {
      id: entry.id,
      rule: entry.rule,
      get hits() {
        return entry.hits;
      },
      remove() {
        const index = standing.indexOf(entry);
        if (index >= 0) standing.splice(index, 1);
      },
    };
  }

  return {
    add(rule) {
      assertRule(rule);
      const entry: Standing = { id: String(nextId++), rule, seen: 0, hits: 0 };
      standing.push(entry);
      return handle(entry);
    },
    clear: () => {
      standing.length = 0;
    },
    list: () => standing.map(handle),
    take(route) {
      for (const entry of standing) {
        const { rule } = entry;
        if (rule.route !== '*' && rule.route !== route) continue;
        if (entry.hits >= (rule.times ?? 1)) continue;
        entry.seen += 1;
        if (entry.seen <= (rule.after ?? 0)) continue;
        entry.hits += 1;
        return rule.fault;
      }
      return undefined;
    },
  };
}
