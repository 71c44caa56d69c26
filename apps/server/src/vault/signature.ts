import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { EncryptionKey } from '../config.ts';

/** 128 bits: not to be guessed, and short enough for a link. */
const signatureBytes = 16;

function digest(key: EncryptionKey, purpose: string, text: string): Buffer {
  const derived = hkdfSync('sha256', key.bytes, '', `calhook ${purpose}`, 32);
  return createHmac('sha256', Buffer.from(derived))
    .update(text)
    .digest()
    .subarray(0, signatureBytes);
}

/** Signs a text for one purpose: HMAC-SHA-256 under a key derived by HKDF (RFC 5869). */
export function signText(key: EncryptionKey, purpose: string, text: string): string {
  return digest(key, purpose, text).toString('base64url');
}

/** Whether {@link signText} made this signature; compared in constant time. */
export function isSignature(
  key: EncryptionKey,
  purpose: string,
  text: string,
  signature: string,
): boolean {
  const given = Buffer.from(signature);
  const made = Buffer.from(signText(key, purpose, text));
  return given.length === made.length && timingSafeEqual(given, made);
}
