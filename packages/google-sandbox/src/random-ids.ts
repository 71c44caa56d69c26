import { createHash, randomBytes } from 'node:crypto';

const BASE32HEX = Buffer.from('0123456789abcdefghijklmnopqrstuv');
const idLetters = Buffer.alloc(26);
let pool = Buffer.alloc(0);
let used = 0;

/** Random bytes from a pool: one system call for many ids keeps inserts cheap. */
function bytes(count: number): Buffer {
  if (used + count > pool.length) {
    pool = randomBytes(4096);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}

/** An event id as Google makes them: 26 characters of base32hex (facts §7.37). */
export function newEventId(): string {
  const random = bytes(26);
  for (let at = 0; at < 26; at += 1) {
    idLetters[at] = BASE32HEX[(random[at] as number) & 31] as number;
  }
  return idLetters.toString('latin1');
}

/** URL-safe random text of `byteCount` random bytes. */
export function randomText(byteCount: number): string {
  return bytes(byteCount).toString('base64url');
}

/** A stable account number (`sub`): 21 digits derived from the e-mail. */
export function subjectOf(email: string): string {
  const digest = createHash('sha256').update(email).digest();
  return `1${(digest.readBigUInt64BE(0) % 10n ** 20n).toString().padStart(20, '0')}`;
}
