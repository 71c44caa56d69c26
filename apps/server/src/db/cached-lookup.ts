import type { ChangeFeed, ChangeTopic } from './change-feed.ts';

interface CachedLookupOptions<V> {
  readonly changes: ChangeFeed;
  /** What makes an entry stale. */
  readonly topics: readonly ChangeTopic[];
  /** Most entries kept; the oldest goes first. */
  readonly limit: number;
  load(key: string): Promise<V | undefined>;
}

/**
 * Rows looked up by key and kept in memory until the change feed says that they changed.
 *
 * What is not there is not kept, so strangers cannot fill the memory with keys they make up.
 */
export class CachedLookup<V extends NonNullable<unknown>> {
  readonly #options: CachedLookupOptions<V>;
  readonly #entries = new Map<string, V>();
  /** Counts what was forgotten; a load that began before is not kept after. */
  #forgotten = 0;

  constructor(options: CachedLookupOptions<V>) {
    this.#options = options;
    for (const topic of options.topics) {
      options.changes.follow(
        topic,
        (key) => {
          this.#forgotten++;
          this.#entries.delete(key);
        },
        () => {
          this.#forgotten++;
          this.#entries.clear();
        },
      );
    }
  }

  /** What is in memory, without looking further. */
  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** The value, from memory or else from the database; undefined when there is none. */
  async get(key: string): Promise<V | undefined> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const forgotten = this.#forgotten;
    const value = await this.#options.load(key);
    if (value !== undefined && forgotten === this.#forgotten && this.#options.changes.reliable) {
      this.#keep(key, value);
    }
    return value;
  }

  #keep(key: string, value: V): void {
    if (this.#entries.size >= this.#options.limit) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    // Keys are often cut from a URL, and such a string keeps the whole URL, which every later
    // comparison would have to follow; a copy stands by itself.
    this.#entries.set(Buffer.from(key).toString(), value);
  }
}
