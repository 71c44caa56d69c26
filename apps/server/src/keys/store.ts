import type { ApiKeysTable, Database } from '../db/index.ts';

/** Stores a new key. @throws a unique violation when the id is taken */
export async function insertApiKey(database: Database, key: ApiKeysTable): Promise<void> {
  await database.transaction((tx) => tx.insertInto('api_keys').values(key).execute());
}

export async function findApiKey(
  database: Database,
  id: string,
): Promise<ApiKeysTable | undefined> {
  return database.read.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listApiKeys(database: Database): Promise<ApiKeysTable[]> {
  return database.read.selectFrom('api_keys').selectAll().orderBy('created_at').execute();
}

/** Marks a key as revoked; false when there is none with this id, or it was revoked before. */
export async function revokeApiKey(database: Database, id: string, at: number): Promise<boolean> {
  const revoked = await database.transaction(async (tx) => {
    const result = await tx
      .updateTable('api_keys')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    await database.changes.announce(tx, 'api_key', id);
    return result.numUpdatedRows > 0n;
  });
  database.changes.deliver('api_key', id);
  return revoked;
}

/** Stores when keys were last used, unless a later use is stored; maps key ids to epoch milliseconds. */
export async function saveLastUsed(
  database: Database,
  uses: ReadonlyMap<string, number>,
): Promise<void> {
  await database.transaction(async (tx) => {
    // In one order, so that processes that write at the same time do not lock each other out.
    for (const [id, at] of [...uses].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await tx
        .updateTable('api_keys')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
        .execute();
    }
  });
}
