import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EnvelopeError, openEnvelope, sealEnvelope } from './envelope.ts';

const key = { id: 'k1', bytes: randomBytes(32) };
const other = { id: 'k2', bytes: randomBytes(32) };
const ring = new Map([key, other].map((one) => [one.id, one]));
const cell = { database: 'db-1', table: 'google_tokens', row: 'bot-ada', column: 'access_token' };
const secret = 'ya29.a-secret';

describe('an envelope', () => {
  test('has the form v1.<keyId>.<iv>.<ciphertext+tag>, of 96 and 128 bits more', () => {
    const [version, keyId, iv = '', sealed = '', ...more] = sealEnvelope(key, cell, secret).split(
      '.',
    );
    expect([version, keyId, more]).toEqual(['v1', 'k1', []]);
    expect(Buffer.from(iv, 'base64url')).toHaveLength(12);
    expect(Buffer.from(sealed, 'base64url')).toHaveLength(secret.length + 16);
  });

  test('opens to what was sealed, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (text, second) => {
        const envelope = sealEnvelope(second ? other : key, cell, text);
        expect(openEnvelope(ring, cell, envelope)).toBe(text);
      }),
    );
  });

  test('is another each time', () => {
    const envelopes = Array.from({ length: 100 }, () => sealEnvelope(key, cell, secret));
    expect(new Set(envelopes.map((envelope) => envelope.split('.')[2])).size).toBe(100);
  });

  test.each([
    ['table', { ...cell, table: 'oauth_states' }],
    ['row', { ...cell, row: 'bot-grace' }],
    ['column', { ...cell, column: 'refresh_token' }],
  ])('does not open in another %s', (_, elsewhere) => {
    const envelope = sealEnvelope(key, cell, secret);
    expect(() => openEnvelope(ring, elsewhere, envelope)).toThrow(EnvelopeError);
  });

  test('does not open when any bit of it is turned', () => {
    const envelope = sealEnvelope(key, cell, secret);
    const [version, keyId, iv = '', sealed = ''] = envelope.split('.');
    const parts = [iv, sealed].map((part) => Buffer.from(part, 'base64url'));
    for (const part of parts) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const byte = bit >> 3;
        const turned = parts.map((one) => Buffer.from(one));
        const changed = turned[parts.indexOf(part)] as Buffer;
        changed.writeUInt8(changed.readUInt8(byte) ^ (1 << (bit & 7)), byte);
        const text = [version, keyId, ...turned.map((one) => one.toString('base64url'))].join('.');
        expect(() => openEnvelope(ring, cell, text), `bit ${bit}`).toThrow(EnvelopeError);
      }
    }
  });

  test('does not open at any shorter length', () => {
    const envelope = sealEnvelope(key, cell, secret);
    for (let length = 0; length < envelope.length; length++) {
      expect(() => openEnvelope(ring, cell, envelope.slice(0, length))).toThrow(EnvelopeError);
    }
  });

  test('does not open under the key of another id', () => {
    const envelope = sealEnvelope(key, cell, secret).replace('v1.k1.', 'v1.k2.');
    expect(() => openEnvelope(ring, cell, envelope)).toThrow(EnvelopeError);
  });

  test.each([
    ['an unknown key', (envelope: string) => envelope.replace('v1.k1.', 'v1.k9.'), 'k9'],
    ['another version', (envelope: string) => envelope.replace('v1.', 'v2.'), 'known version'],
    ['plain text', () => secret, 'known version'],
  ])('of %s is told by its cell, never by its content', (_, change, why) => {
    const envelope = change(sealEnvelope(key, cell, secret));
    let message = '';
    try {
      openEnvelope(ring, cell, envelope);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('google_tokens.access_token of bot-ada');
    expect(message).toContain(why);
    expect(message).not.toContain(secret);
  });
});
