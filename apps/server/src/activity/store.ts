import { type ActivityTable, type Database, insertRow, type Transaction } from '../db/index.ts';

export async function insertActivity(tx: Transaction, activity: ActivityTable): Promise<void> {
  await insertRow(tx, 'activity', activity);
}

/** What happened to a bot, newest first, before `beforeId`; at most `limit`. */
export async function listActivity(
  database: Database,
  page: { readonly botId: string; readonly beforeId: string | null; readonly limit: number },
): Promise<ActivityTable[]> {
  let query = database.read
    .selectFrom('activity')
    .selectAll()
    .where('client_id', '=', page.botId)
    .orderBy('id', 'desc')
    .limit(page.limit);
  if (page.beforeId !== null) query = query.where('id', '<', page.beforeId);
  return query.execute();
}
