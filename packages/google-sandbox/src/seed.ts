import type { SandboxOptions } from './sandbox-api.ts';

/** A seed file: the options of a sandbox, and events that its accounts already have. */
export type Seed = Pick<SandboxOptions, 'accounts' | 'clients' | 'switches' | 'now'> & {
  events: { email: string; event: Record<string, unknown>; calendarId?: string }[];
};

const KEYS = new Set(['accounts', 'clients', 'switches', 'now', 'events']);

/** Reads a seed file. @throws TypeError, naming what is wrong */
export function readSeed(text: string): Seed {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`The seed file is not JSON: ${String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new TypeError('The seed file holds one JSON object.');
  }
  const unknown = Object.keys(parsed).find((key) => !KEYS.has(key));
  if (unknown !== undefined) {
    throw new TypeError(
      `The seed file has an unknown key "${unknown}"; known: ${[...KEYS].join(', ')}.`,
    );
  }
  const seed = parsed as Partial<Seed>;
  for (const key of ['accounts', 'clients', 'events'] as const) {
    if (seed[key] !== undefined && !Array.isArray(seed[key])) {
      throw new TypeError(`"${key}" in the seed file is a list.`);
    }
  }
  return { ...seed, events: seed.events ?? [] };
}
