import { type ActivityTable, insertRow, type Transaction } from '../db/index.ts';

export async function insertActivity(tx: Transaction, activity: ActivityTable): Promise<void> {
  await insertRow(tx, 'activity', activity);
}
