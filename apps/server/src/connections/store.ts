import type { Database, GoogleTokensTable, Transaction } from '../db/index.ts';

export async function findConnection(
  reader: Pick<Transaction, 'selectFrom'>,
  botId: string,
): Promise<GoogleTokensTable | undefined> {
  return reader
    .selectFrom('google_tokens')
    .selectAll()
    .where('client_id', '=', botId)
    .executeTakeFirst();
}

/** What the status of a bot tells; nulls when it has no connection. */
export interface ConnectionState {
  readonly status: GoogleTokensTable['status'] | null;
  readonly account_email: string | null;
  readonly calendar_id: string | null;
  readonly status_reason: string | null;
  readonly status_since: number | null;
  readonly created_at: number | null;
  readonly google_sub: string | null;
  readonly refresh_token_expires_at: number | null;
}

/** Finds the state of a bot's connection, undefined when there is no such bot; compiled once. */
export function connectionStateFinder(
  database: Database,
): (botId: string) => Promise<ConnectionState | undefined> {
  const query = database.read
    .selectFrom('bots')
    .leftJoin('google_tokens', 'google_tokens.client_id', 'bots.id')
    .select([
      'status',
      'account_email',
      'calendar_id',
      'status_reason',
      'status_since',
      'google_tokens.created_at',
      'google_sub',
      'refresh_token_expires_at',
    ])
    .where('bots.id', '=', '')
    .compile();
  return async (botId) => {
    const compiled: typeof query = { ...query, parameters: [botId] };
    const { rows } = await database.read.executeQuery<ConnectionState>(compiled);
    return rows[0];
  };
}

/** Bots whose connection belongs to this Google account. */
export async function findBotsOfAccount(
  reader: Pick<Transaction, 'selectFrom'>,
  googleSub: string,
): Promise<string[]> {
  const rows = await reader
    .selectFrom('google_tokens')
    .select('client_id')
    .where('google_sub', '=', googleSub)
    .orderBy('client_id')
    .execute();
  return rows.map((row) => row.client_id);
}

/**
 * Stores the connection of a bot, in place of one that it had. The version grows; it begins with
 * the time of the first connection, so that one made after a disconnect is newer than all before,
 * and nothing that is still under way for those is taken for its own.
 */
export async function putConnection(
  tx: Transaction,
  connection: Omit<GoogleTokensTable, 'version'>,
): Promise<void> {
  await tx
    .insertInto('google_tokens')
    .values({ ...connection, version: connection.created_at })
    .onConflict((conflict) =>
      conflict.column('client_id').doUpdateSet((eb) => ({
        access_token: connection.access_token,
        refresh_token: connection.refresh_token,
        expiry_date: connection.expiry_date,
        scope: connection.scope,
        updated_at: connection.updated_at,
        google_sub: connection.google_sub,
        account_email: connection.account_email,
        calendar_id: connection.calendar_id,
        status: connection.status,
        status_reason: connection.status_reason,
        // A newer grant of a connection that works is no change of its state.
        status_since: eb
          .case()
          .when(
            eb.and([
              eb('google_tokens.status', '=', 'connected'),
              eb('google_tokens.google_sub', '=', connection.google_sub),
            ]),
          )
          .then(eb.ref('google_tokens.status_since'))
          .else(connection.status_since)
          .end(),
        refreshed_at: connection.refreshed_at,
        refresh_failures: connection.refresh_failures,
        refresh_failure: connection.refresh_failure,
        refresh_not_before: connection.refresh_not_before,
        lease_owner: connection.lease_owner,
        lease_until: connection.lease_until,
        refresh_token_expires_at: connection.refresh_token_expires_at,
        expiry_announced_at: connection.expiry_announced_at,
        version: eb('google_tokens.version', '+', 1),
      })),
    )
    .execute();
}

type ConnectionChange = Partial<Omit<GoogleTokensTable, 'client_id' | 'created_at' | 'version'>>;

/** Changes a connection if it is still at `version`; false when something newer is stored. */
export async function changeConnection(
  tx: Transaction,
  botId: string,
  version: number,
  change: ConnectionChange,
): Promise<boolean> {
  const result = await tx
    .updateTable('google_tokens')
    .set({ ...change, version: version + 1 })
    .where('client_id', '=', botId)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/**
 * Removes a connection, tokens and all, and returns what it was.
 *
 * @param googleSub the account that it must belong to; null: any
 */
export async function takeConnection(
  tx: Transaction,
  botId: string,
  googleSub: string | null,
): Promise<GoogleTokensTable | undefined> {
  let query = tx.deleteFrom('google_tokens').where('client_id', '=', botId);
  if (googleSub !== null) query = query.where('google_sub', '=', googleSub);
  return query.returningAll().executeTakeFirst();
}
