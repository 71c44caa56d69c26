import { toAscii } from '../ascii-json.ts';
import type { Database } from '../db/index.ts';
import type { TimedSlots } from './slot-answers.ts';

/** How many rendered answers are kept; one of a month takes some 50 kB. */
const maxAnswers = 1_000;
/** How soon claims of other processes are seen, in milliseconds; this process's are at once. */
const othersSeenAfterMs = 1_000;

interface Kept {
  readonly botId: string;
  readonly text: string;
  readonly holdsUntil: number;
}

/**
 * Rendered answers about slots, kept exactly as long as they hold: until a rule, a claim, an event
 * of the owner or the clock changes them. Visitors ask for the same weeks over and over.
 */
export class SlotCache {
  readonly #now: () => number;
  readonly #answers = new Map<string, Kept>();
  readonly #ofBot = new Map<string, Set<string>>();
  readonly #botsOf = new Map<string, Set<string>>();
  /** Counts what was forgotten; an answer that was begun before is not kept after. */
  #forgotten = 0;

  /** @param now clock in epoch milliseconds */
  constructor(database: Database, now: () => number) {
    this.#now = now;
    const forgetBot = (botId: string) => this.#forget(botId);
    const forgetAll = () => this.#clear();
    for (const topic of ['bot', 'connection'] as const) {
      database.changes.follow(topic, forgetBot, forgetAll);
    }
    for (const topic of ['calendar', 'claims'] as const) {
      const forgetCalendar = (calendar: string) => {
        this.#forgotten++;
        for (const botId of this.#botsOf.get(calendar) ?? []) this.#forget(botId);
        this.#botsOf.delete(calendar);
      };
      database.changes.follow(topic, forgetCalendar, forgetAll);
    }
  }

  /**
   * The answer, if it is in memory and holds.
   *
   * @param target `<botId>?<query>`, as it stands in the URL
   */
  peek(target: string): { readonly botId: string; readonly text: string } | undefined {
    const kept = this.#answers.get(target);
    return kept !== undefined && kept.holdsUntil > this.#now() ? kept : undefined;
  }

  /** The answer, from memory or else made; it is kept as long as it holds. */
  async get(target: string, botId: string, make: () => Promise<TimedSlots>): Promise<string> {
    const known = this.peek(target);
    if (known) return known.text;
    const forgotten = this.#forgotten;
    const { answer, holdsUntil, calendars } = await make();
    const text = toAscii(JSON.stringify(answer));
    const until = Math.min(holdsUntil, this.#now() + othersSeenAfterMs);
    if (until > this.#now() && forgotten === this.#forgotten) {
      this.#keep(target, { botId, text, holdsUntil: until }, calendars);
    }
    return text;
  }

  #keep(target: string, kept: Kept, calendars: readonly string[]): void {
    if (this.#answers.size >= maxAnswers) this.#clear();
    this.#answers.set(target, kept);
    setOf(this.#ofBot, kept.botId).add(target);
    for (const calendar of calendars) setOf(this.#botsOf, calendar).add(kept.botId);
  }

  #forget(botId: string): void {
    this.#forgotten++;
    for (const target of this.#ofBot.get(botId) ?? []) this.#answers.delete(target);
    this.#ofBot.delete(botId);
  }

  #clear(): void {
    this.#forgotten++;
    this.#answers.clear();
    this.#ofBot.clear();
    this.#botsOf.clear();
  }
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
