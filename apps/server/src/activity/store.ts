import {
  type ActivityTable,
  type Database,
  insertRow,
  type Page,
  type PageWanted,
  readPage,
  type Transaction,
} from '../db/index.ts';

export async function insertActivity(tx: Transaction, activity: ActivityTable): Promise<void> {
  await insertRow(tx, 'activity', activity);
}

/** One page of what happened to a bot, newest first. */
export function listActivity(
  database: Database,
  botId: string,
  page: PageWanted,
): Promise<Page<ActivityTable>> {
  const activity = database.read.selectFrom('activity').selectAll().where('client_id', '=', botId);
  return readPage(activity, 'desc', page);
}
