import { randomBytes, randomFillSync } from 'node:crypto';

const base32hex = '0123456789abcdefghijklmnopqrstuv';

const idRandomBytes = 16;
/** Random bytes in stock: asking the system for each id's alone costs more than the rest of it. */
const stock = Buffer.alloc(256 * idRandomBytes);
let taken = stock.length;

function takeRandomBytes(): Buffer {
  if (taken === stock.length) {
    randomFillSync(stock);
    taken = 0;
  }
  taken += idRandomBytes;
  return stock.subarray(taken - idRandomBytes, taken);
}

/**
 * A new id of 26 characters of base32hex (RFC 4648 §7, lower case): 48 bits of time, so that ids
 * sort by age, and 80 random bits. The alphabet is the one that Google asks of event ids
 * (facts/google.md §2), so the id of an appointment serves as the id of its event.
 *
 * @param now epoch milliseconds
 */
export function newId(now: number): string {
  let id = '';
  // 10 characters hold 50 bits, enough for milliseconds until the year 37,000.
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
    id = base32hex.charAt(rest % 32) + id;
  }
  for (const byte of takeRandomBytes()) id += base32hex.charAt(byte & 31);
  return id;
}

/** Whether an id of any kind could look like this; what cannot is never looked up. */
export function couldBeId(text: string): boolean {
  return /^[A-Za-z0-9-]{1,100}$/.test(text);
}

/** A secret of 256 random bits in base64url, for links and keys. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
