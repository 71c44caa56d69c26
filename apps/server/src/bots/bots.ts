import type { Bot, CreateBot, UpdateBot } from '@calhook/contract';
import { ApiError, botNotFound } from '../api-error.ts';
import { timeZoneName } from '../availability/time-zones.ts';
import {
  type BotsTable,
  BoundedMap,
  CachedLookup,
  type Database,
  isUniqueViolation,
  type PageWanted,
} from '../db/index.ts';
import { couldBeId, newId } from '../identifiers.ts';
import {
  defaultHours,
  defaultRules,
  requireHours,
  requireLanguage,
  requireRules,
  type StoredRules,
} from './rules.ts';
import { deleteBot, findBot, insertBot, listBots, updateBot } from './store.ts';

const maxCachedBots = 10_000;
const defaultDurationMinutes = 30;
const defaultLanguage = 'en';

const rulesOf = (row: BotsTable): StoredRules => ({ ...defaultRules, ...JSON.parse(row.rules) });

function toBot(row: BotsTable): Bot {
  return {
    id: row.id,
    name: row.name,
    timeZone: row.time_zone,
    durationMinutes: row.duration_minutes,
    language: row.language,
    weeklyHours: row.weekly_hours === null ? null : JSON.parse(row.weekly_hours),
    ...rulesOf(row),
    allowedOrigins: JSON.parse(row.allowed_origins),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** @throws {ApiError} `invalid_timezone` */
function requireTimeZone(timeZone: string): string {
  const name = timeZoneName(timeZone);
  if (name === null) throw new ApiError('invalid_timezone', { values: { timeZone } });
  return name;
}

/** @throws {ApiError} `invalid_request` when one is not a plain web origin */
function requireOrigins(origins: readonly string[]): string {
  const plain = origins.map((origin) => {
    const parsed = URL.parse(origin);
    if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.origin !== origin) {
      const reason = `"${origin}" is not a web origin such as https://www.example.com`;
      throw new ApiError('invalid_request', { values: { reason } });
    }
    return parsed.origin;
  });
  return JSON.stringify([...new Set(plain)]);
}

/** The bots: one client's chatbot each. */
export class Bots {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #known: CachedLookup<Bot>;

  /** @param now clock in epoch milliseconds */
  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#known = new CachedLookup({
      changes: database.changes,
      topics: ['bot'],
      memory: new BoundedMap(maxCachedBots),
      load: async (id) => {
        const row = await findBot(database, id);
        return row && toBot(row);
      },
    });
  }

  /** @throws {ApiError} `bot_not_found` */
  async get(id: string): Promise<Bot> {
    const bot = couldBeId(id) ? await this.#known.get(id) : undefined;
    if (!bot) throw botNotFound();
    return bot;
  }

  /** @throws {ApiError} `bot_exists`, `invalid_timezone`, `invalid_request` */
  async create(wanted: CreateBot): Promise<Bot> {
    const now = this.#now();
    const row: BotsTable = {
      id: wanted.id ?? `bot-${newId(now)}`,
      name: wanted.name,
      time_zone: requireTimeZone(wanted.timeZone ?? 'UTC'),
      duration_minutes: wanted.durationMinutes ?? defaultDurationMinutes,
      language: requireLanguage(wanted.language ?? defaultLanguage),
      weekly_hours: requireHours(
        wanted.weeklyHours === undefined ? defaultHours : wanted.weeklyHours,
      ),
      rules: JSON.stringify(requireRules(defaultRules, wanted)),
      allowed_origins: requireOrigins(wanted.allowedOrigins ?? []),
      created_at: now,
      updated_at: now,
    };
    try {
      await insertBot(this.#database, row);
    } catch (error) {
      throw isUniqueViolation(error) ? new ApiError('bot_exists') : error;
    }
    return toBot(row);
  }

  /** @throws {ApiError} `bot_not_found`, `invalid_timezone`, `invalid_request` */
  async update(id: string, change: UpdateBot): Promise<Bot> {
    const { name, timeZone, durationMinutes, language, weeklyHours, allowedOrigins } = change;
    const row = await updateBot(this.#database, id, (before) => ({
      updated_at: this.#now(),
      ...(name === undefined ? {} : { name }),
      ...(timeZone === undefined ? {} : { time_zone: requireTimeZone(timeZone) }),
      ...(durationMinutes === undefined ? {} : { duration_minutes: durationMinutes }),
      ...(weeklyHours === undefined ? {} : { weekly_hours: requireHours(weeklyHours) }),
      ...(language === undefined ? {} : { language: requireLanguage(language) }),
      ...(allowedOrigins === undefined ? {} : { allowed_origins: requireOrigins(allowedOrigins) }),
      rules: JSON.stringify(requireRules(rulesOf(before), change)),
    }));
    if (!row) throw botNotFound();
    return toBot(row);
  }

  /** @throws {ApiError} `bot_not_found` */
  async delete(id: string): Promise<void> {
    if (!(await deleteBot(this.#database, id))) throw botNotFound();
  }

  /** One page, in the order of ids; `onlyIds` limits it to what the caller may see. */
  async list(
    page: PageWanted,
    onlyIds: ReadonlySet<string> | null,
  ): Promise<{ bots: Bot[]; nextCursor: string | null }> {
    const { rows, nextCursor } = await listBots(this.#database, page, onlyIds && [...onlyIds]);
    return { bots: rows.map(toBot), nextCursor };
  }
}
