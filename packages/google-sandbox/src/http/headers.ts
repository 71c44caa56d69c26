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
