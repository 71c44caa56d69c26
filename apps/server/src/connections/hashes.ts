import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256, hex: how one-time secrets are stored. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Compares two hashes of {@link sha256} in constant time. */
export function equalHashes(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
