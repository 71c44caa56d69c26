import type { LookupMemory } from './cached-lookup.ts';

/** Records lie in chunks of this many bytes; a longer one is not kept. */
const chunkBytes = 1024 * 1024;
/** Records begin at multiples of this, so that 32 bits can say where. */
const unitBytes = 8;
const unitsPerChunk = chunkBytes / unitBytes;
/** In front of a record: the length of its key, and that of its text. */
const headBytes = 8;
const smallestTable = 1024;

/** In the place of a record's position: nothing yet, or nothing any more. */
const empty = 0;
const removed = -1;

const isAscii = (text: string) => /^[\0-\x7f]*$/.test(text);

/**
 * Short texts by short keys, packed into bytes, for lookups that keep a million of them.
 *
 * In a Map, a million rendered answers are strewn over half a gigabyte, and a lookup, which waits for
 * memory again and again, takes 2 µs. Here it takes 1 µs: it waits for a place in an open table, and for
 * key and text, which lie side by side. None of it concerns the garbage collector.
 *
 * Records are only appended. When the space is used up, the chunk with the oldest is used again. Keys
 * and texts are ASCII; others are not kept.
 */
export class PackedTexts implements LookupMemory<string> {
  readonly #maxChunks: number;
  readonly #chunks: Buffer[] = [];
  /** How far each chunk is filled, in bytes. */
  readonly #filled: number[] = [];
  /** The chunk that is appended to. */
  #current = 0;
  /** By turns a hash and the position of its record, in units and one-based. */
  #table = new Int32Array(2 * smallestTable);
  /** Places of the table that were ever taken. */
  #taken = 0;
  #size = 0;

  /** @param maxBytes most space taken by records, rounded up to whole chunks */
  constructor(maxBytes: number) {
    this.#maxChunks = Math.max(2, Math.ceil(maxBytes / chunkBytes));
  }

  get(key: string): string | undefined {
    const place = this.#find(key, hashOf(key));
    if (place < 0) return undefined;
    const position = (this.#table[place + 1] as number) - 1;
    const chunk = this.#chunks[Math.floor(position / unitsPerChunk)] as Buffer;
    const start = (position % unitsPerChunk) * unitBytes;
    const textAt = start + headBytes + key.length;
    return chunk.toString('latin1', textAt, textAt + chunk.readUInt32LE(start + 4));
  }

  set(key: string, text: string): void {
    this.delete(key);
    const length = headBytes + key.length + text.length;
    if (length > chunkBytes || !isAscii(key) || !isAscii(text)) return;
    const position = this.#append(key, text, length);
    if (2 * (this.#taken + 1) > this.#table.length / 2) this.#rebuild();
    this.#insert(hashOf(key), position + 1);
    this.#size++;
  }

  delete(key: string): void {
    const place = this.#find(key, hashOf(key));
    if (place < 0) return;
    this.#table[place + 1] = removed;
    this.#size--;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#filled.length = 0;
    this.#current = 0;
    this.#table = new Int32Array(2 * smallestTable);
    this.#taken = 0;
    this.#size = 0;
  }

  /** The place of a key in the table; negative when it is not there. */
  #find(key: string, hash: number): number {
    const table = this.#table;
    const last = table.length - 2;
    for (let place = (hash << 1) & last; ; place = (place + 2) & last) {
      const position = table[place + 1] as number;
      if (position === empty) return -1;
      if (table[place] === hash && position !== removed && this.#holds(position - 1, key)) {
        return place;
      }
    }
  }

  #holds(position: number, key: string): boolean {
    const chunk = this.#chunks[Math.floor(position / unitsPerChunk)] as Buffer;
    const start = (position % unitsPerChunk) * unitBytes;
    if (chunk.readUInt32LE(start) !== key.length) return false;
    for (let i = 0; i < key.length; i++) {
      if (chunk[start + headBytes + i] !== key.charCodeAt(i)) return false;
    }
    return true;
  }

  /** Writes a record; returns its position. */
  #append(key: string, text: string, length: number): number {
    let filled = this.#filled[this.#current] ?? 0;
    if (filled + length > chunkBytes) {
      this.#current = (this.#current + 1) % this.#maxChunks;
      this.#dropRecordsOf(this.#current);
      filled = 0;
    }
    const chunk = this.#chunks[this.#current] ?? Buffer.allocUnsafeSlow(chunkBytes);
    this.#chunks[this.#current] = chunk;
    chunk.writeUInt32LE(key.length, filled);
    chunk.writeUInt32LE(text.length, filled + 4);
    chunk.write(key, filled + headBytes, 'latin1');
    chunk.write(text, filled + headBytes + key.length, 'latin1');
    this.#filled[this.#current] = Math.ceil((filled + length) / unitBytes) * unitBytes;
    return this.#current * unitsPerChunk + filled / unitBytes;
  }

  #dropRecordsOf(chunkIndex: number): void {
    const first = chunkIndex * unitsPerChunk + 1;
    const table = this.#table;
    for (let place = 0; place < table.length; place += 2) {
      const position = table[place + 1] as number;
      if (position < first || position >= first + unitsPerChunk) continue;
      table[place + 1] = removed;
      this.#size--;
    }
    this.#filled[chunkIndex] = 0;
  }

  /** Makes the table anew, at most a third full and without what was removed. */
  #rebuild(): void {
    const before = this.#table;
    let places = smallestTable;
    while (places < 3 * (this.#size + 1)) places *= 2;
    this.#table = new Int32Array(2 * places);
    this.#taken = 0;
    for (let place = 0; place < before.length; place += 2) {
      const position = before[place + 1] as number;
      if (position !== empty && position !== removed) {
        this.#insert(before[place] as number, position);
      }
    }
  }

  #insert(hash: number, position: number): void {
    const table = this.#table;
    const last = table.length - 2;
    let place = (hash << 1) & last;
    while (table[place + 1] !== empty) place = (place + 2) & last;
    table[place] = hash;
    table[place + 1] = position;
    this.#taken++;
  }
}

/** FNV-1a, and a last step that lets all bits bear on the lower ones. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ (hash >>> 13);
}
