/** The query of a request: what URLSearchParams offers for reading, at a fraction of its cost. */
export type Query = {
  /** As it stood in the request. */
  readonly text: string;
  /** Names and values in order, decoded. */
  readonly pairs: readonly (readonly [string, string])[];
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
};

export function readQuery(text: string): Query {
  const pairs = text === '' ? [] : readPairs(text);
  return {
    text,
    pairs,
    get(name) {
      for (const pair of pairs) if (pair[0] === name) return pair[1];
      return null;
    },
    getAll: (name) => pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]),
    has(name) {
      for (const pair of pairs) if (pair[0] === name) return true;
      return false;
    },
  };
}

function readPairs(text: string): [string, string][] {
  if (/[%+]/.test(text)) return [...new URLSearchParams(text)];
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const mark = pair.indexOf('=');
      return mark < 0 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)];
    });
}
