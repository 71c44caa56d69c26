import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../config.ts';

/** Where a ciphertext lives; bound into it, so that it opens nowhere else. */
export interface Cell {
  /** Id of the database; empty in one that is older than ids. */
  readonly database: string;
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

function associatedData({ database, table, row, column }: Cell): Buffer {
  const place = `${table}|${row}|${column}`;
  return Buffer.from(database === '' ? place : `${database}|${place}`, 'utf8');
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

const form = /^v1\.([A-Za-z0-9-]{1,32})\.([\w-]+)\.([\w-]+)$/;

/** The bytes of base64url; null where other texts stand for the same bytes, so that none opens twice. */
function readBytes(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
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
  const [, keyId, ivText, sealedText] = form.exec(envelope) ?? [];
  if (keyId === undefined || ivText === undefined || sealedText === undefined) {
    throw new EnvelopeError(cell, 'is not an envelope of a known version');
  }
  const key = keys.get(keyId);
  if (!key) {
    throw new EnvelopeError(
      cell,
      `is encrypted under the key "${keyId}", which is not in the ring`,
    );
  }
  const iv = readBytes(ivText);
  const sealed = readBytes(sealedText);
  if (iv?.length !== ivBytes || sealed === null || sealed.length < tagBytes) {
    throw new EnvelopeError(cell, 'is cut short or malformed');
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
