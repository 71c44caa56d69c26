import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedTexts } from './packed-texts.ts';

const chunkBytes = 1024 * 1024;

test('holds what a Map holds, whatever is set, deleted and cleared', () => {
  // Few keys, so that they meet again, and more than the smallest table takes.
  const key = fc.nat(1_999).map((number) => `bot-${number.toString(36)}`);
  const step = fc.oneof(
    { weight: 60, arbitrary: fc.tuple(fc.constant('set' as const), key, fc.string()) },
    { weight: 30, arbitrary: fc.tuple(fc.constant('delete' as const), key) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('clear' as const)) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 5_000, size: 'max' }), (steps) => {
      const packed = new PackedTexts(16 * chunkBytes);
      const map = new Map<string, string>();
      for (const [what, at, text] of steps) {
        if (what === 'clear') {
          packed.clear();
          map.clear();
        } else if (what === 'delete') {
          packed.delete(at);
          map.delete(at);
        } else {
          packed.set(at, text);
          map.set(at, text);
        }
      }
      for (let number = 0; number < 2_000; number++) {
        const asked = `bot-${number.toString(36)}`;
        expect(packed.get(asked)).toBe(map.get(asked));
      }
    }),
    { numRuns: 30 },
  );
});

test('lets the oldest go when the space is used up, and never answers with another text', () => {
  const packed = new PackedTexts(4 * chunkBytes);
  const text = (number: number) => `${number}:`.padEnd(1_000, 'x');
  const written = 20_000;
  for (let number = 0; number < written; number++) packed.set(`bot-${number}`, text(number));
  const kept = Array.from({ length: written }, (_, number) => number).filter((number) => {
    const found = packed.get(`bot-${number}`);
    if (found !== undefined) expect(found).toBe(text(number));
    return found !== undefined;
  });
  // The newest without a gap, and between three and four chunks of them.
  expect(kept).toEqual(kept.map((_, index) => written - kept.length + index));
  expect(kept.length * 1_000).toBeGreaterThan(3 * chunkBytes * 0.98);
  expect(kept.length * 1_000).toBeLessThan(4 * chunkBytes);
});

test('a text that looks like a record, in the place of one that had to go, is not taken for it', () => {
  const packed = new PackedTexts(2 * chunkBytes);
  const nearlyAChunk = 'x'.repeat(chunkBytes - 32);
  // Eight bytes of lengths and a key of one: the next record begins at byte 64.
  packed.set('a', 'x'.repeat(55));
  packed.set('bot-1', 'true');
  expect(packed.get('bot-1')).toBe('true');
  packed.set('fills the chunk', 'x'.repeat(chunkBytes - 200));
  packed.set('b', nearlyAChunk);
  packed.set('c', `${'x'.repeat(55)}\x05\0\0\0\x04\0\0\0bot-1fake`);
  expect(packed.get('bot-1')).toBeUndefined();
});

test('a text that is set again and again leaves the others alone until its chunk is used again', () => {
  const packed = new PackedTexts(4 * chunkBytes);
  packed.set('bot-still', 'still');
  for (let round = 0; round < 3_000; round++) packed.set('bot-busy', `${round}`.padEnd(1_000));
  expect(packed.get('bot-still')).toBe('still');
  expect(packed.get('bot-busy')).toBe('2999'.padEnd(1_000));
});

test('keeps nothing that it could not give back as it was', () => {
  const packed = new PackedTexts(2 * chunkBytes);
  packed.set('bot-a', 'first');
  packed.set('bot-a', 'Zoë');
  packed.set('bot-ë', 'text');
  packed.set('bot-b', 'x'.repeat(chunkBytes));
  for (const key of ['bot-a', 'bot-ë', 'bot-b', 'bot-', '']) {
    expect(packed.get(key)).toBeUndefined();
  }
});
