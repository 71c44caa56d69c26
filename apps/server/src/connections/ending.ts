import { recordActivity } from '../activity/activity.ts';
import type { Connection } from './connection.ts';
import type { ConnectionParts } from './connections.ts';
import { changeConnection } from './store.ts';

/**
 * Marks a grant as no longer usable, and records that the owner is needed; one that was replaced
 * meanwhile is left alone.
 *
 * @param reason Google's own word for it
 */
export async function endConnection(
  { database, log, now }: ConnectionParts,
  { botId, version }: Connection,
  status: 'needs_reauth' | 'missing_scopes',
  reason: string,
): Promise<void> {
  const at = now();
  const ended = await database.transaction(async (tx) => {
    const change = { status, status_reason: reason, status_since: at, updated_at: at };
    const released = { lease_owner: null, lease_until: null };
    if (!(await changeConnection(tx, botId, version, { ...change, ...released }))) return false;
    await database.changes.announce(tx, 'connection', botId);
    await recordActivity(tx, {
      at,
      botId,
      kind: 'connection.needs_reauth',
      detail: { status, reason },
    });
    return true;
  });
  database.changes.deliver('connection', botId);
  if (ended) log.warn({ botId, reason }, 'connection needs the owner');
}
