import { hash, timingSafeEqual } from 'node:crypto';
import { type ApiKey, type ApiKeyScope, apiKeyScopes, type CreateApiKey } from '@calhook/contract';
import { apiKeyPattern } from '../config.ts';
import { type ApiKeysTable, BoundedMap, CachedLookup, type Database } from '../db/index.ts';
import { newId, newSecret } from '../identifiers.ts';
import type { Logger } from '../logger.ts';
import { findApiKey, insertApiKey, listApiKeys, revokeApiKey, saveLastUsed } from './store.ts';

/** Who calls, by API key: what they may do, and to which bots. */
export interface Caller {
  readonly keyId: string;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** null: all bots. */
  readonly botIds: ReadonlySet<string> | null;
  /** Epoch milliseconds; infinite for a key without an end. */
  readonly expiresAt: number;
}

interface KnownKey extends Caller {
  readonly secretHash: Buffer;
  lastUsedAt: number;
}

const maxCachedKeys = 10_000;
const maxVerifiedHeaders = 1_000;
/** How often uses are written, in milliseconds: `lastUsedAt` costs no write per request. */
const saveUsesEveryMs = 60_000;

/** What the secret of an unknown key is compared with, so that it takes as long as a known one. */
const nobodysHash = Buffer.alloc(32);

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function readScopes(json: string): ApiKeyScope[] {
  const stored: unknown[] = JSON.parse(json);
  return apiKeyScopes.filter((scope) => stored.includes(scope));
}

function toKnownKey(row: ApiKeysTable): KnownKey {
  return {
    keyId: row.id,
    secretHash: Buffer.from(row.secret_hash, 'hex'),
    scopes: new Set(readScopes(row.scopes)),
    botIds: row.bot_ids === null ? null : new Set<string>(JSON.parse(row.bot_ids)),
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    lastUsedAt: row.last_used_at ?? 0,
  };
}

function toApiKey(row: ApiKeysTable): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: readScopes(row.scopes),
    botIds: row.bot_ids === null ? null : JSON.parse(row.bot_ids),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

/**
 * API keys: `chk_<id>_<secret>`, of which SHA-256 of the 256-bit secret is stored. A slow hash
 * would protect weak secrets; these are random (facts/credentials.md §1.1).
 */
export class ApiKeys {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #log: Logger | null;
  readonly #known: CachedLookup<KnownKey>;
  /**
   * `Authorization` headers that were verified, so that a caller's key is hashed once and not with
   * every request. An entry counts only while its key is the one in memory, so it ends with it.
   */
  readonly #verified = new Map<string, KnownKey>();
  /** Keys used since they were last written. */
  readonly #used = new Set<KnownKey>();
  readonly #saveTimer: NodeJS.Timeout;

  /**
   * @param now clock in epoch milliseconds
   * @param log null: whoever runs a command sees its errors
   */
  constructor(database: Database, now: () => number, log: Logger | null = null) {
    this.#database = database;
    this.#now = now;
    this.#log = log;
    this.#known = new CachedLookup({
      changes: database.changes,
      topics: ['api_key'],
      memory: new BoundedMap(maxCachedKeys),
      load: async (id) => {
        const row = await findApiKey(database, id);
        return row && row.revoked_at === null ? toKnownKey(row) : undefined;
      },
    });
    this.#saveTimer = setInterval(() => void this.#saveUses(), saveUsesEveryMs).unref();
  }

  /** Who sent this `Authorization` header; null when it holds no valid key. */
  async authenticate(authorization: string): Promise<Caller | null> {
    const parsed = parseAuthorization(authorization);
    if (!parsed) return null;
    const known = await this.#known.get(parsed.id);
    const same = timingSafeEqual(sha256(parsed.secret), known?.secretHash ?? nobodysHash);
    if (!known || !same) return null;
    if (this.#verified.size >= maxVerifiedHeaders) this.#verified.clear();
    this.#verified.set(authorization, known);
    return this.#use(known);
  }

  /**
   * As {@link authenticate}, for a header that was verified before and whose key has not changed
   * since; undefined when it has to be verified.
   */
  authenticateFromMemory(authorization: string): Caller | undefined {
    const known = this.#verified.get(authorization);
    if (!known || this.#known.peek(known.keyId) !== known) return undefined;
    return this.#use(known) ?? undefined;
  }

  /** Makes a key; the secret is returned this once and stored only as a hash. */
  async create(wanted: CreateApiKey): Promise<{ apiKey: ApiKey; secret: string }> {
    const now = this.#now();
    const secret = newSecret();
    const row = newRow(newId(now).slice(-12), secret, wanted, now);
    await insertApiKey(this.#database, row);
    return { apiKey: toApiKey(row), secret: `chk_${row.id}_${secret}` };
  }

  /** Stores the operator's first key, once; a key with this id that exists is left as it is. */
  async ensureBootstrapKey(key: string): Promise<void> {
    const [, id = '', secret = ''] = apiKeyPattern.exec(key) ?? [];
    const existing = await findApiKey(this.#database, id);
    if (existing) return;
    const row = newRow(id, secret, { name: 'CALHOOK_BOOTSTRAP_API_KEY' }, this.#now());
    await insertApiKey(this.#database, row);
  }

  async list(): Promise<ApiKey[]> {
    return (await listApiKeys(this.#database)).map(toApiKey);
  }

  /** False when there is no such key that is not revoked already. */
  async revoke(id: string): Promise<boolean> {
    return revokeApiKey(this.#database, id, this.#now());
  }

  async close(): Promise<void> {
    clearInterval(this.#saveTimer);
    await this.#saveUses();
  }

  /** Notes the use of a verified key; null when it has expired. */
  #use(known: KnownKey): Caller | null {
    const now = this.#now();
    if (now >= known.expiresAt) return null;
    known.lastUsedAt = now;
    this.#used.add(known);
    return known;
  }

  /** Never throws: a use that is told late is no reason to stop. */
  async #saveUses(): Promise<void> {
    if (this.#used.size === 0) return;
    const used = [...this.#used];
    this.#used.clear();
    try {
      await saveLastUsed(this.#database, new Map(used.map((key) => [key.keyId, key.lastUsedAt])));
    } catch (error) {
      for (const key of used) this.#used.add(key);
      this.#log?.warn({ err: error }, 'uses of API keys could not be stored; it is tried again');
    }
  }
}

function newRow(id: string, secret: string, wanted: CreateApiKey, now: number): ApiKeysTable {
  return {
    id,
    secret_hash: sha256(secret).toString('hex'),
    name: wanted.name,
    scopes: JSON.stringify(wanted.scopes ?? apiKeyScopes),
    bot_ids: wanted.botIds ? JSON.stringify(wanted.botIds) : null,
    created_at: now,
    expires_at: wanted.expiresAt ?? null,
    revoked_at: null,
    last_used_at: null,
  };
}

const bearer = 'bearer ';

function parseAuthorization(header: string): { id: string; secret: string } | null {
  // Schemes are case-insensitive (RFC 9110 §11.1).
  if (header.slice(0, bearer.length).toLowerCase() !== bearer) return null;
  const match = apiKeyPattern.exec(header.slice(bearer.length));
  return match ? { id: match[1] as string, secret: match[2] as string } : null;
}
