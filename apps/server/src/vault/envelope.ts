import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../config.ts';

/** Where a ciphertext lives; bound into it, so that it opens nowhere else. */
export interface Cell {
  readonly table: string;
  /** Id of the row: the bot, or the key of the row where it belongs to no bot. */
  readonly row: string;
  readonly column: string;
}

/** A ciphertext could not be opened. Names the cell, never its content. */
export class EnvelopeError extends Error {
  readonly cell: Cell;
  constructor(cell: Cell, problem: string) {
    super(`${cell.table}.${cell.column} of ${cell.row} ${problem}`);
    this.name = 'EnvelopeError';
    this.cell = cell;
  }
}

const ivBytes = 12;
const tagBytes = 16;

function associatedData(cell: Cell): Buffer {
  return Buffer.from(`${cell.table}|${cell.row}|${cell.column}`, 'utf8');
}

/** Encrypts `plaintext` for one cell: `v1.<keyId>.<iv>.<ciphertext+tag>` (design §5). */
export function sealEnvelope(key: EncryptionKey, cell: Cell, plaintext: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(cell));
  const sealed = Buffer.concat([
    cipher.update(plaintext, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `v1.${key.id}.${iv.toString('base64url')}.${sealed.toString('base64url')}`;
}

/** The key id that an envelope names; null when it is not an envelope of this version. */
function envelopeKeyId(envelope: string): string | null {
  const parts = envelope.split('.');
  return parts.length === 4 && parts[0] === 'v1' ? (parts[1] ?? null) : null;
}

/**
 * Decrypts an envelope of {@link sealEnvelope}.
 *
 * @throws {EnvelopeError} when it is malformed, was made for another cell or key, or was changed.
 */
export function openEnvelope(
  keys: ReadonlyMap<string, EncryptionKey>,
  cell: Cell,
  envelope: string,
): string {
  const keyId = envelopeKeyId(envelope);
  if (keyId === null) throw new EnvelopeError(cell, 'is not an envelope of a known version');
  const key = keys.get(keyId);
  if (!key)
    throw new EnvelopeError(
      cell,
      `is encrypted under the key "${keyId}", which is not in the ring`,
    );
  const [, , ivText = '', sealedText = ''] = envelope.split('.');
  const iv = Buffer.from(ivText, 'base64url');
  const sealed = Buffer.from(sealedText, 'base64url');
  if (iv.length !== ivBytes || sealed.length < tagBytes) {
    throw new EnvelopeError(cell, 'is cut short');
  }
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, iv, { authTagLength: tagBytes });
  decipher.setAAD(associatedData(cell));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return (
      decipher.update(sealed.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch {
    // OpenSSL gives no reason, and none may leak: wrong cell, wrong key and tampering look alike.
    throw new EnvelopeError(cell, 'does not open: it was changed, or belongs elsewhere');
  }
}
