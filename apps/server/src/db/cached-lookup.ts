import type { ChangeFeed, ChangeTopic } from './change-feed.ts';

/** Where values are kept. It may let go of any of them at any time. */
export interface LookupMemory<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
}

/** A memory of at most `limit` values, of which the oldest goes first. */
export class BoundedMap<V> implements LookupMemory<V> {
  readonly #limit: number;
  readonly #entries = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    if (this.#entries.size >= this.#limit) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    // Keys are often cut from a URL, and such a string keeps the whole URL, which every later
    // comparison would have to follow; a copy stands by itself.
    this.#entries.set(Buffer.from(key).toString(), value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}

interface CachedLookupOptions<V> {
  readonly changes: ChangeFeed;
  /** What makes an entry stale. */
  readonly topics: readonly ChangeTopic[];
  readonly memory: LookupMemory<V>;
  load(key: string): Promise<V | undefined>;
}

/**
 * Rows looked up by key and kept in memory until the change feed says that they changed.
 *
 * What is not there is not kept, so strangers cannot fill the memory with keys they make up.
 */
export class CachedLookup<V extends NonNullable<unknown>> {
  readonly #options: CachedLookupOptions<V>;
  readonly #memory: LookupMemory<V>;
  /** Counts what was forgotten; a load that began before is not kept after. */
  #forgotten = 0;

  constructor(options: CachedLookupOptions<V>) {
    this.#options = options;
    this.#memory = options.memory;
    for (const topic of options.topics) {
      options.changes.follow(
        topic,
        (key) => {
          this.#forgotten++;
          this.#memory.delete(key);
        },
        () => {
          this.#forgotten++;
          this.#memory.clear();
        },
      );
    }
  }

  /** What is in memory, without looking further. */
  peek(key: string): V | undefined {
    return this.#memory.get(key);
  }

  /** The value, from memory or else from the database; undefined when there is none. */
  async get(key: string): Promise<V | undefined> {
    const known = this.#memory.get(key);
    if (known !== undefined) return known;
    const forgotten = this.#forgotten;
    const value = await this.#options.load(key);
    if (value !== undefined && forgotten === this.#forgotten && this.#options.changes.reliable) {
      this.#memory.set(key, value);
    }
    return value;
  }
}
