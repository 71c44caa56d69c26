/** The query of a request: what URLSearchParams offers for reading, at a fraction of its cost. */
export class Query {
  /** As it stood in the request. */
  readonly text: string;
  /** Names and values in order, decoded. */
  readonly pairs: readonly (readonly [string, string])[];

  constructor(text: string) {
    this.text = text;
    this.pairs = text === '' ? NO_PAIRS : readPairs(text);
  }

  get(name: string): string | null {
    for (const pair of this.pairs) if (pair[0] === name) return pair[1];
    return null;
  }

  getAll(name: string): string[] {
    return this.pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }
}

const NO_PAIRS: [string, string][] = [];

function readPairs(text: string): [string, string][] {
  if (/[%+]/.test(text)) return [...new URLSearchParams(text)];
  const pairs: [string, string][] = [];
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const mark = pair.indexOf('=');
    pairs.push(mark < 0 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)]);
  }
  return pairs;
}
