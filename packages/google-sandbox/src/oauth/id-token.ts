import { createHash, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The key that signs id_tokens, made anew for each sandbox. */
export type SigningKey = {
  keyId: string;
  privateKey: KeyObject;
  publicJwk: Record<string, unknown>;
};

export async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
  });
  const jwk = publicKey.export({ format: 'jwk' });
  const keyId = createHash('sha256').update(JSON.stringify(jwk)).digest('hex').slice(0, 40);
  return { keyId, privateKey, publicJwk: { ...jwk, kid: keyId, alg: 'RS256', use: 'sig' } };
}

/** An RS256 JWT (RFC 7515 compact form). */
export function signJwt(key: SigningKey, claims: Record<string, unknown>): string {
  const header = { alg: 'RS256', kid: key.keyId, typ: 'JWT' };
  const body = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${body}.${sign('sha256', Buffer.from(body), key.privateKey).toString('base64url')}`;
}

/** `at_hash` of OpenID Connect Core §3.1.3.6. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}
