import type { ActivityTable, Transaction } from '../db/index.ts';

export async function insertActivity(tx: Transaction, activity: ActivityTable): Promise<void> {
  await tx.insertInto('activity').values(activity).execute();
}
