import { toAscii } from '../ascii-json.ts';
import type { Database } from '../db/index.ts';
import type { TimedSlots } from './slot-answers.ts';

/** How much rendered answers may take in all, in characters; one of a week takes some 20,000. */
const maxCharacters = 64 * 1024 * 1024;
/** How long an answer is kept where claims of other processes are not heard of, in milliseconds. */
const unheardMs = 1_000;

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
  /** How long an answer may be kept at most, in milliseconds. */
  readonly #keptMs: number;
  readonly #answers = new Map<string, Kept>();
  readonly #ofBot = new Map<string, Set<string>>();
  readonly #botsOf = new Map<string, Set<string>>();
  #characters = 0;
  /** Counts what was forgotten; an answer that was begun before is not kept after. */
  #forgotten = 0;

  /** @param now clock in epoch milliseconds */
  constructor(database: Database, now: () => number) {
    this.#now = now;
    this.#keptMs = database.changes.hearsUnannounced ? Number.POSITIVE_INFINITY : unheardMs;
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
    const until = Math.min(holdsUntil, this.#now() + this.#keptMs);
    if (until > this.#now() && forgotten === this.#forgotten) {
      this.#keep(target, { botId, text, holdsUntil: until }, calendars);
    }
    return text;
  }

  #keep(target: string, kept: Kept, calendars: readonly string[]): void {
    this.#drop(target);
    while (this.#characters + kept.text.length > maxCharacters) {
      const oldest = this.#answers.keys().next();
      if (oldest.done) break;
      this.#drop(oldest.value);
    }
    this.#answers.set(target, kept);
    this.#characters += kept.text.length;
    setOf(this.#ofBot, kept.botId).add(target);
    for (const calendar of calendars) setOf(this.#botsOf, calendar).add(kept.botId);
  }

  #drop(target: string): void {
    const kept = this.#answers.get(target);
    if (!kept) return;
    this.#answers.delete(target);
    this.#characters -= kept.text.length;
    this.#ofBot.get(kept.botId)?.delete(target);
  }

  #forget(botId: string): void {
    this.#forgotten++;
    for (const target of [...(this.#ofBot.get(botId) ?? [])]) this.#drop(target);
    this.#ofBot.delete(botId);
  }

  #clear(): void {
    this.#forgotten++;
    this.#answers.clear();
    this.#characters = 0;
    this.#ofBot.clear();
    this.#botsOf.clear();
  }
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
