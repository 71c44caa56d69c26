import type { Database, GoogleTokensTable, Transaction } from '../db/index.ts';

/** The right to refresh one version of a connection, until it runs out. */
export interface RefreshLease {
  readonly botId: string;
  /** Version of the connection that is refreshed. */
  readonly version: number;
  /** Random, so that nobody releases a lease but its owner. */
  readonly owner: string;
}

/**
 * Takes the lease unless somebody has it, or the connection has changed.
 *
 * @param until when the lease runs out, in epoch milliseconds
 * @returns the connection as it is under the lease; undefined when it was not to be had
 */
export async function takeRefreshLease(
  tx: Transaction,
  lease: RefreshLease,
  now: number,
  until: number,
): Promise<GoogleTokensTable | undefined> {
  return tx
    .updateTable('google_tokens')
    .set({ lease_owner: lease.owner, lease_until: until })
    .where('client_id', '=', lease.botId)
    .where('version', '=', lease.version)
    .where('status', '=', 'connected')
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', now)]))
    .returningAll()
    .executeTakeFirst();
}

type LeasedChange = Partial<
  Omit<GoogleTokensTable, 'client_id' | 'created_at' | 'version' | 'lease_owner' | 'lease_until'>
>;

/**
 * Changes the connection and releases the lease in one step.
 *
 * @param version the new version; the same one when the grant did not change
 * @returns false when the connection or the lease is no longer what it was
 */
export async function releaseRefreshLease(
  tx: Transaction,
  lease: RefreshLease,
  version: number,
  change: LeasedChange,
): Promise<boolean> {
  const result = await tx
    .updateTable('google_tokens')
    .set({ ...change, version, lease_owner: null, lease_until: null })
    .where('client_id', '=', lease.botId)
    .where('version', '=', lease.version)
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type IdleConnection = Pick<GoogleTokensTable, 'client_id' | 'version'>;

/**
 * Connections in use that got no token from Google since `before`, the longest idle first; none
 * whose refresh is under way at `now`, or was put off beyond it.
 */
export async function findIdleConnections(
  reader: Database['read'],
  before: number,
  now: number,
  limit: number,
): Promise<IdleConnection[]> {
  return reader
    .selectFrom('google_tokens')
    .select(['client_id', 'version'])
    .where('status', '=', 'connected')
    .where('refreshed_at', '<', before)
    .where((eb) =>
      eb.or([eb('refresh_not_before', 'is', null), eb('refresh_not_before', '<=', now)]),
    )
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', now)]))
    .orderBy('refreshed_at')
    .limit(limit)
    .execute();
}

/** Connections in use whose grant ends before `before` and whose owners were not told. */
export async function findExpiringConnections(
  reader: Database['read'],
  before: number,
  limit: number,
): Promise<Pick<GoogleTokensTable, 'client_id' | 'version' | 'refresh_token_expires_at'>[]> {
  return reader
    .selectFrom('google_tokens')
    .select(['client_id', 'version', 'refresh_token_expires_at'])
    .where('status', '=', 'connected')
    .where('refresh_token_expires_at', 'is not', null)
    .where('refresh_token_expires_at', '<=', before)
    .where('expiry_announced_at', 'is', null)
    .orderBy('refresh_token_expires_at')
    .limit(limit)
    .execute();
}

/** Notes that the end of a grant was announced; false when it was, or the grant is another. */
export async function markExpiryAnnounced(
  tx: Transaction,
  botId: string,
  expiresAt: number,
  now: number,
): Promise<boolean> {
  const result = await tx
    .updateTable('google_tokens')
    .set({ expiry_announced_at: now })
    .where('client_id', '=', botId)
    .where('refresh_token_expires_at', '=', expiresAt)
    .where('expiry_announced_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
