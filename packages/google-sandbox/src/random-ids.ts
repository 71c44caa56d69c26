import { createHash, randomBytes } from 'node:crypto';

/** Every pair of base32hex digits. */
const DIGIT_PAIRS = [...'0123456789abcdefghijklmnopqrstuv'].flatMap((first, _, digits) =>
  digits.map((second) => first + second),
);
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
  let id = '';
  for (let at = 0; at < 26; at += 2) id += DIGIT_PAIRS[random.readUInt16LE(at) & 1023];
  return id;
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
