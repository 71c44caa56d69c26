import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { EncryptionKey } from '../config.ts';

/** 128 bits: not to be guessed, and short enough for a link. */
const signatureBytes = 16;

/** Derived keys by purpose: each answer about an appointment carries a signature. */
const derivedKeys = new WeakMap<EncryptionKey, Map<string, KeyObject>>();

function derivedKey(key: EncryptionKey, purpose: string): KeyObject {
  let ofKey = derivedKeys.get(key);
  if (!ofKey) {
    ofKey = new Map();
    derivedKeys.set(key, ofKey);
  }
  let derived = ofKey.get(purpose);
  if (!derived) {
    const bytes = hkdfSync('sha256', key.bytes, '', `calhook ${purpose}`, 32);
    derived = createSecretKey(Buffer.from(bytes));
    ofKey.set(purpose, derived);
  }
  return derived;
}

function digest(key: EncryptionKey, purpose: string, text: string): Buffer {
  return createHmac('sha256', derivedKey(key, purpose))
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
