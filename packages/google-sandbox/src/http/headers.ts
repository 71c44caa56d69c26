/** Names and values by turns, as they arrived: what node:http calls rawHeaders. */
export type RawHeaders = readonly string[];

/** The first header of this (lower-case) name. */
export function headerOf(
  { rawHeaders }: { rawHeaders: RawHeaders },
  name: string,
): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] as string;
    if (given.length === name.length && (given === name || given.toLowerCase() === name)) {
      return rawHeaders[at + 1];
    }
  }
  return undefined;
}

/** All headers by lower-case name; those that came more than once are lists. */
export function headersByName(rawHeaders: RawHeaders): Record<string, string | string[]> {
  const headers = new Map<string, string | string[]>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(headers);
}

/**
 * Most requests of a route come with the headers of the one before. They are kept once, so that a
 * long log costs the collector little.
 */
export function createHeaderKeeper(): (route: string, rawHeaders: RawHeaders) => RawHeaders {
  const lastByRoute = new Map<string, RawHeaders>();
  return (route, rawHeaders) => {
    const last = lastByRoute.get(route);
    if (last !== undefined && areEqual(last, rawHeaders)) return last;
    lastByRoute.set(route, rawHeaders);
    return rawHeaders;
  };
}

function areEqual(some: RawHeaders, others: RawHeaders): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false;
  return true;
}
