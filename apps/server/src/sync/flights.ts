interface Waiting<Wish, T> {
  wish: Wish;
  readonly result: Promise<T>;
}

/**
 * Work of which each key has at most one piece under way and one that waits: whoever comes while
 * one runs shares the next, since the one that runs may have begun before what the caller must see.
 */
export class Flights<Wish, T> {
  readonly #merge: (a: Wish, b: Wish) => Wish;
  readonly #running = new Map<string, Promise<T>>();
  readonly #waiting = new Map<string, Waiting<Wish, T>>();

  /** @param merge what suits both of two callers that share a piece */
  constructor(merge: (a: Wish, b: Wish) => Wish) {
    this.#merge = merge;
  }

  /** The result of a piece that begins after this call. */
  join(key: string, wish: Wish, run: (wish: Wish) => Promise<T>): Promise<T> {
    const shared = this.#waiting.get(key);
    if (shared) {
      shared.wish = this.#merge(shared.wish, wish);
      return shared.result;
    }
    const before = this.#running.get(key) ?? Promise.resolve();
    const begin = (): Promise<T> => {
      this.#waiting.delete(key);
      const running = run(waiting.wish).finally(() => {
        if (this.#running.get(key) === running) this.#running.delete(key);
      });
      this.#running.set(key, running);
      return running;
    };
    const waiting: Waiting<Wish, T> = { wish, result: before.then(begin, begin) };
    this.#waiting.set(key, waiting);
    return waiting.result;
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#running.size + this.#waiting.size > 0) {
      const waiting = [...this.#waiting.values()].map(({ result }) => result);
      await Promise.allSettled([...this.#running.values(), ...waiting]);
    }
  }
}

/** The result, unless it takes longer than `budgetMs`: then it goes on without this caller. */
export function within<T>(result: Promise<T>, budgetMs: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.max(0, budgetMs));
    const ends =
      <Outcome>(settle: (outcome: Outcome) => void) =>
      (outcome: Outcome) => {
        clearTimeout(timer);
        settle(outcome);
      };
    result.then(ends(resolve), ends(reject));
  });
}
