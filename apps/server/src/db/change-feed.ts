import type { Transaction } from './transaction.ts';

/**
 * What kind of thing changed. A `connection` is what its status tells and its tokens too;
 * `access_token` is said of a refresh, which changes no status. A `calendar` is what the mirror holds
 * of it.
 */
export type ChangeTopic = 'connection' | 'access_token' | 'api_key' | 'bot' | 'claims' | 'calendar';

type Listener = (subject: string) => void;

/**
 * Carries "this changed, forget it" from the process that commits to every process that caches.
 *
 * A change is announced inside the transaction that makes it, so it is heard if and only if it was
 * committed. The announcing process hears it before `transaction()` resolves to its caller's next
 * step only through {@link ChangeFeed.deliver}, which stores call right after their commit.
 */
export abstract class ChangeFeed {
  readonly #listeners = new Map<ChangeTopic, Set<Listener>>();
  readonly #resetListeners = new Map<ChangeTopic, Set<() => void>>();

  /** False while changes of other processes may be missed; caches must not be trusted then. */
  abstract readonly reliable: boolean;

  /** Whether caches also hear of what other processes change without announcing it (`claims`). */
  abstract readonly hearsUnannounced: boolean;

  /** Announces a change to all processes; part of the transaction. */
  abstract announce(tx: Transaction, topic: ChangeTopic, subject: string): Promise<void>;

  abstract close(): Promise<void>;

  /** Calls `forget` for each subject of the topic that changed, `forgetAll` when some were missed. */
  follow(topic: ChangeTopic, forget: Listener, forgetAll: () => void): void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(forget));
    const resets = this.#resetListeners.get(topic) ?? new Set();
    this.#resetListeners.set(topic, resets.add(forgetAll));
  }

  /** Tells the caches of this process at once. */
  deliver(topic: string, subject: string): void {
    for (const listener of this.#listeners.get(topic as ChangeTopic) ?? []) listener(subject);
  }

  /** Some changes may have been missed: every cache starts over. */
  protected reset(): void {
    for (const topic of this.#resetListeners.keys()) this.resetTopic(topic);
  }

  /** Something of this topic may have changed: its caches start over. */
  protected resetTopic(topic: ChangeTopic): void {
    for (const listener of this.#resetListeners.get(topic) ?? []) listener();
  }
}
