import { hash } from 'node:crypto';
import { ApiError } from '../api-error.ts';
import type { AppointmentsTable, Database, IdempotencyKeysTable } from '../db/index.ts';
import { findAppointment, findIdempotencyKey } from './store.ts';

/** A booking's `Idempotency-Key`, and who sent it: keys of others are other keys. */
export interface IdempotencyKey {
  /** Id of the API key; `public` where none is needed. */
  readonly callerId: string;
  readonly key: string;
}

/** A mark of a request, as it is kept with the booking that it made. */
export type RequestMark = Pick<IdempotencyKeysTable, 'caller' | 'key_hash' | 'body_hash'>;

const keyPattern = /^[\x20-\x7e]{1,255}$/;

/** The same value for the same JSON, however its fields are ordered. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, member]) => [name, canonical(member)]);
}

/** @throws {ApiError} `invalid_idempotency_key` */
export function markOf(botId: string, body: unknown, given: IdempotencyKey): RequestMark {
  if (!keyPattern.test(given.key)) throw new ApiError('invalid_idempotency_key');
  return {
    caller: `${given.callerId}|${botId}`,
    key_hash: hash('sha256', given.key, 'hex'),
    body_hash: hash('sha256', JSON.stringify(canonical(body)), 'hex'),
  };
}

/**
 * The appointment that the same request made before.
 *
 * @throws {ApiError} `idempotency_key_reused` when the key came with another body then
 */
export async function findByMark(
  database: Database,
  mark: RequestMark,
): Promise<AppointmentsTable | undefined> {
  const known = await findIdempotencyKey(database, mark.caller, mark.key_hash);
  if (!known) return undefined;
  if (known.body_hash !== mark.body_hash) throw new ApiError('idempotency_key_reused');
  return findAppointment(database.read, null, known.appointment_id);
}
