import type { EncryptionKey } from '../config.ts';
import type { Database } from '../db/index.ts';
import { OperatorError } from '../operator-error.ts';
import { type Cell, EnvelopeError, openEnvelope, sealEnvelope } from './envelope.ts';
import { isSignature, signText } from './signature.ts';
import { insertKeyCheck, listKeyChecks } from './store.ts';

export type { Cell } from './envelope.ts';

/** Seals and opens secrets. The only object in the server that holds encryption keys. */
export interface Vault {
  /** Encrypts under the active (first) key. */
  seal(cell: Cell, plaintext: string): string;
  /** @throws {EnvelopeError} when the envelope does not open in this cell. */
  open(cell: Cell, envelope: string): string;
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
const checkCell = (keyId: string): Cell => ({
  table: 'key_checks',
  row: keyId,
  column: 'envelope',
});

/** Proves that every key that left a check value is in the ring, with the bytes it had then. */
async function verifyKeyChecks(
  ring: ReadonlyMap<string, EncryptionKey>,
  database: Database,
): Promise<Set<string>> {
  const checks = await listKeyChecks(database);
  for (const check of checks) {
    if (!ring.has(check.key_id)) {
      throw new KeyRingError(
        `CALHOOK_ENCRYPTION_KEYS lacks the key "${check.key_id}", under which data is encrypted. Add it back (after the active key, if it is being retired).`,
      );
    }
    try {
      openEnvelope(ring, checkCell(check.key_id), check.envelope);
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      throw new KeyRingError(
        `The key "${check.key_id}" in CALHOOK_ENCRYPTION_KEYS is not the one that data was encrypted with. Put the former bytes back, or give the new key a new id.`,
      );
    }
  }
  return new Set(checks.map((check) => check.key_id));
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
  await verifyKeyChecks(new Map(keys.map((key) => [key.id, key])), database);
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
  const checked = await verifyKeyChecks(ring, database);
  if (!checked.has(active.id)) {
    const envelope = sealEnvelope(active, checkCell(active.id), checkText);
    await insertKeyCheck(database, { key_id: active.id, envelope, created_at: now() });
    // Another process may have stored another key under this id at the same moment.
    await verifyKeyChecks(ring, database);
  }
  return {
    seal: (cell, plaintext) => sealEnvelope(active, cell, plaintext),
    open: (cell, envelope) => openEnvelope(ring, cell, envelope),
    sign: (purpose, text) => signText(active, purpose, text),
    verify: (purpose, text, signature) =>
      keys.some((key) => isSignature(key, purpose, text, signature)),
  };
}
