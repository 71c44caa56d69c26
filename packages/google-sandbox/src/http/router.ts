import type { RawHeaders } from './headers.ts';
import type { Query } from './query.ts';
import type { Answer } from './reply.ts';

export type SandboxRequest = {
  method: string;
  path: string;
  /** Decoded `:name` segments of the path. */
  params: Readonly<Record<string, string>>;
  query: Query;
  rawHeaders: RawHeaders;
  /** Decoded as UTF-8. */
  body: string;
};

/** One row of the route table. `name` is what faults and the request log call it. */
export type Route = {
  name: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments, of which `:name` matches any one segment. */
  path: string;
  handle(request: SandboxRequest): Answer | Promise<Answer>;
};

type Node = {
  segments: Map<string, Node>;
  parameter?: { name: string; node: Node };
  routes: Map<string, Route>;
};

type Match =
  | { kind: 'found'; route: Route; params: Readonly<Record<string, string>> }
  | { kind: 'wrong-method'; allowed: string[] }
  | { kind: 'none' };

/** Paths come again and again: the last ones are not walked a second time. */
const KEPT_MATCHES = 512;

export type Router = (method: string, path: string) => Match;

/** Builds a matcher over the table: one step per path segment, however many routes there are. */
export function createRouter(routes: readonly Route[]): Router {
  const root: Node = { segments: new Map(), routes: new Map() };
  for (const route of routes) {
    let node = root;
    for (const segment of route.path.split('/').slice(1)) node = childOf(node, segment);
    node.routes.set(route.method, route);
  }
  const recent = new Map<string, Match>();

  function match(method: string, path: string): Match {
    const params: Record<string, string> = {};
    const node = walk(root, path.split('/'), 1, params);
    if (node === undefined) return { kind: 'none' };
    const route = node.routes.get(method);
    if (route === undefined) return { kind: 'wrong-method', allowed: [...node.routes.keys()] };
    return { kind: 'found', route, params };
  }

  return (method, path) => {
    const key = `${method} ${path}`;
    let found = recent.get(key);
    if (found === undefined) {
      if (recent.size >= KEPT_MATCHES) recent.clear();
      found = match(method, path);
      recent.set(key, found);
    }
    return found;
  };
}

function childOf(node: Node, segment: string): Node {
  if (segment.startsWith(':')) {
    node.parameter ??= {
      name: segment.slice(1),
      node: { segments: new Map(), routes: new Map() },
    };
    return node.parameter.node;
  }
  let child = node.segments.get(segment);
  if (child === undefined) {
    child = { segments: new Map(), routes: new Map() };
    node.segments.set(segment, child);
  }
  return child;
}

function walk(
  node: Node,
  segments: string[],
  depth: number,
  params: Record<string, string>,
): Node | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.routes.size > 0 ? node : undefined;
  const fixed = node.segments.get(segment);
  if (fixed !== undefined) {
    const found = walk(fixed, segments, depth + 1, params);
    if (found !== undefined) return found;
  }
  if (node.parameter === undefined || segment === '') return undefined;
  const value = decoded(segment);
  if (value === undefined) return undefined;
  const found = walk(node.parameter.node, segments, depth + 1, params);
  if (found !== undefined) params[node.parameter.name] = value;
  return found;
}

/** The segment without percent-encoding; undefined when it is not valid UTF-8. */
function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
