import {
  type BotsTable,
  type Database,
  type Page,
  type PageWanted,
  readPage,
} from '../db/index.ts';

/** @throws a unique violation when the id is taken */
export async function insertBot(database: Database, bot: BotsTable): Promise<void> {
  await database.transaction((tx) => tx.insertInto('bots').values(bot).execute());
}

export async function findBot(database: Database, id: string): Promise<BotsTable | undefined> {
  return database.read.selectFrom('bots').selectAll().where('id', '=', id).executeTakeFirst();
}

/** One page of bots, in the order of their ids; `onlyIds` limits it to these. */
export function listBots(
  database: Database,
  page: PageWanted,
  onlyIds: readonly string[] | null,
): Promise<Page<BotsTable>> {
  const bots = database.read.selectFrom('bots').selectAll();
  return readPage(onlyIds ? bots.where('id', 'in', onlyIds) : bots, 'asc', page);
}

/**
 * Changes a bot in the light of what it is.
 *
 * @returns the changed row; undefined when there is no such bot
 */
export async function updateBot(
  database: Database,
  id: string,
  changeOf: (before: BotsTable) => Partial<Omit<BotsTable, 'id' | 'created_at'>>,
): Promise<BotsTable | undefined> {
  const row = await database.transaction(async (tx) => {
    const before = await tx
      .selectFrom('bots')
      .selectAll()
      .where('id', '=', id)
      .$if(database.dialect === 'postgres', (query) => query.forUpdate())
      .executeTakeFirst();
    if (!before) return undefined;
    const updated = await tx
      .updateTable('bots')
      .set(changeOf(before))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    await database.changes.announce(tx, 'bot', id);
    return updated;
  });
  database.changes.deliver('bot', id);
  return row;
}

/** Deletes a bot with its connection and appointments; false when there is none. */
export async function deleteBot(database: Database, id: string): Promise<boolean> {
  const deleted = await database.transaction(async (tx) => {
    const result = await tx.deleteFrom('bots').where('id', '=', id).executeTakeFirst();
    await database.changes.announce(tx, 'bot', id);
    await database.changes.announce(tx, 'connection', id);
    return result.numDeletedRows > 0n;
  });
  database.changes.deliver('bot', id);
  database.changes.deliver('connection', id);
  return deleted;
}
