import { ApiError } from './errors.ts';

/** What is wanted of an object: each name with what is wanted inside it; null = all of it. */
type Selection = Map<string, Selection | null>;

/**
 * The part of a JSON answer that a `fields` parameter names: `items(id,start/dateTime),nextPageToken`.
 * @throws ApiError invalid when the text is not a selection
 */
export function selectFields(value: unknown, fields: string): unknown {
  const reader = new SelectionReader(fields);
  const selection = reader.readList();
  if (!reader.isDone()) throw invalidSelection(fields);
  return cut(value, selection);
}

function cut(value: unknown, selection: Selection | null): unknown {
  if (selection === null || selection.has('*')) return value;
  if (Array.isArray(value)) return value.map((item) => cut(item, selection));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => selection.has(name))
      .map(([name, inner]) => [name, cut(inner, selection.get(name) ?? null)]),
  );
}

function invalidSelection(fields: string): ApiError {
  return new ApiError('invalid', {
    message: `Invalid field selection ${fields.slice(0, 100)}`,
    locationType: 'parameter',
    location: 'fields',
  });
}

class SelectionReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isDone(): boolean {
    return this.#at === this.#text.length;
  }

  /** `name`, `name/inner` and `name(inner,inner)`, separated by commas. */
  readList(): Selection {
    const selection: Selection = new Map();
    do {
      const name = this.#readName();
      selection.set(name, this.#readInner());
    } while (this.#take(','));
    return selection;
  }

  #readInner(): Selection | null {
    this.#depth += 1;
    if (this.#depth > 20) throw invalidSelection(this.#text);
    let inner: Selection | null = null;
    if (this.#take('/')) {
      const name = this.#readName();
      inner = new Map([[name, this.#readInner()]]);
    } else if (this.#take('(')) {
      inner = this.readList();
      if (!this.#take(')')) throw invalidSelection(this.#text);
    }
    this.#depth -= 1;
    return inner;
  }

  #readName(): string {
    const name = /^(\w+|\*)/.exec(this.#text.slice(this.#at))?.[0];
    if (name === undefined) throw invalidSelection(this.#text);
    this.#at += name.length;
    return name;
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }
}
