import type { EncryptionKey } from '../config.ts';
import type { Database } from '../db/index.ts';
import { OperatorError } from '../operator-error.ts';
import { type Cell, EnvelopeError, openEnvelope, sealEnvelope } from './envelope.ts';
import { type SealedCell, sealedColumns } from './sealed-columns.ts';
import { isSignature, signText } from './signature.ts';
import {
  countByKey,
  deleteKeyCheck,
  insertKeyCheck,
  listKeyChecks,
  readDatabaseId,
} from './store.ts';

export { EnvelopeError } from './envelope.ts';
export type { SealedCell } from './sealed-columns.ts';

/** Seals and opens secrets. The only object in the server that holds encryption keys. */
export interface Vault {
  /** Id of the key that seals: the first of the ring. */
  readonly activeKeyId: string;
  /** Encrypts under the active (first) key. */
  seal(cell: SealedCell, plaintext: string): string;
  /** @throws {EnvelopeError} when the envelope does not open in this cell. */
  open(cell: SealedCell, envelope: string): string;
  /**
   * Signs `text` for one purpose (HMAC-SHA-256 under a key derived from the active one, RFC 5869);
   * base64url, 22 characters for 128 bits.
   */
  sign(purpose: string, text: string): string;
  /** Whether a key of the ring signed `text` for this purpose, compared in constant time. */
  verify(purpose: string, text: string, signature: string): boolean;
}

/** The key ring does not fit the data; the server must not start. */
class KeyRingError extends OperatorError {
  override readonly name = 'KeyRingError';
}

const checkText = 'calhook key check';
const checkCell = (database: string, keyId: string): Cell => ({
  database,
  table: 'key_checks',
  row: keyId,
  column: 'envelope',
});

/** How many secrets are sealed under a key; reads all of them. */
async function countUnder(database: Database, keyId: string): Promise<number> {
  let envelopes = 0;
  for (const column of sealedColumns) {
    const counts = await countByKey(database, column);
    envelopes += counts.find((count) => count.keyId === keyId)?.envelopes ?? 0;
  }
  return envelopes;
}

/**
 * Proves that every key that left a check value is in the ring, with the bytes it had then. Reads
 * secrets only when one is not in the ring: it was retired, if nothing is sealed under it any more.
 *
 * @returns the ids that left a check value: those in the ring, and those that were retired
 */
async function verifyKeyChecks(
  ring: ReadonlyMap<string, EncryptionKey>,
  database: Database,
  databaseId: string,
): Promise<{ checked: ReadonlySet<string>; retired: readonly string[] }> {
  const checked = new Set<string>();
  const retired: string[] = [];
  for (const check of await listKeyChecks(database)) {
    const keyId = check.key_id;
    if (!ring.has(keyId)) {
      const envelopes = await countUnder(database, keyId);
      if (envelopes > 0) {
        throw new KeyRingError(
          `CALHOOK_ENCRYPTION_KEYS lacks the key "${keyId}", under which ${envelopes} stored secret${envelopes === 1 ? ' is' : 's are'} encrypted. Add it back after the active key; to retire it, run "calhook rotate-keys" before you take it out.`,
        );
      }
      retired.push(keyId);
      continue;
    }
    try {
      openEnvelope(ring, checkCell(databaseId, keyId), check.envelope);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      throw new KeyRingError(
        `The key "${keyId}" in CALHOOK_ENCRYPTION_KEYS is not the one that data was encrypted with. Put the former bytes back, or give the new key a new id.`,
      );
    }
    checked.add(keyId);
  }
  return { checked, retired };
}

/**
 * Proves that the ring fits the stored data, as {@link openVault} does, and stores nothing.
 *
 * @throws {KeyRingError} when a key is missing from the ring, or has other bytes than before.
 */
export async function checkKeyRing(
  keys: readonly EncryptionKey[],
  database: Database,
): Promise<void> {
  const ring = new Map(keys.map((key) => [key.id, key]));
  await verifyKeyChecks(ring, database, await readDatabaseId(database));
}

/**
 * Opens the vault over the configured ring, after proving that the ring fits the stored data:
 * each active key leaves a check value, which must open under the key of the same id ever after.
 *
 * @param now clock, in epoch milliseconds
 * @throws {KeyRingError} when a key is missing from the ring, or has other bytes than before.
 */
export async function openVault(
  keys: readonly EncryptionKey[],
  database: Database,
  now: () => number,
): Promise<Vault> {
  const active = keys[0];
  if (!active) throw new KeyRingError('The key ring is empty.');
  const ring = new Map(keys.map((key) => [key.id, key]));
  const databaseId = await readDatabaseId(database);
  const { checked, retired } = await verifyKeyChecks(ring, database, databaseId);
  if (!checked.has(active.id)) {
    const envelope = sealEnvelope(active, checkCell(databaseId, active.id), checkText);
    await insertKeyCheck(database, { key_id: active.id, envelope, created_at: now() });
    // Another process may have stored another key under this id at the same moment.
    await verifyKeyChecks(ring, database, databaseId);
  }
  for (const keyId of retired) await deleteKeyCheck(database, keyId);
  return {
    activeKeyId: active.id,
    seal: (cell, plaintext) => sealEnvelope(active, { database: databaseId, ...cell }, plaintext),
    open: (cell, envelope) => openEnvelope(ring, { database: databaseId, ...cell }, envelope),
    sign: (purpose, text) => signText(active, purpose, text),
    verify: (purpose, text, signature) =>
      keys.some((key) => isSignature(key, purpose, text, signature)),
  };
}
