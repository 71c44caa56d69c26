import type { CalendarStatus, ConnectionStatus } from '@calhook/contract';
import { CachedLookup, type Database } from '../db/index.ts';
import { findConnectionState } from './store.ts';

/**
 * How many rendered answers are kept. One takes about 300 bytes, so a million bots that are all
 * asked about cost 300 MB; the memory is only used as bots are asked about.
 */
const maxCachedStatuses = 1_000_000;

function toStatus(
  row: NonNullable<Awaited<ReturnType<typeof findConnectionState>>>,
): CalendarStatus {
  const status: ConnectionStatus = row.status ?? 'not_connected';
  return {
    connected: status !== 'not_connected',
    expired: status === 'needs_reauth' || status === 'missing_scopes',
    status,
    account: row.account_email,
    calendarId: row.calendar_id,
    reason: row.status_reason,
    reconnectUrl: null,
    since: row.status_since,
  };
}

/**
 * Answers of the status route, rendered once and kept until the connection changes. They read
 * stored state only: no call to Google, no lock (design §4).
 */
export function openStatuses(database: Database): CachedLookup<string> {
  return new CachedLookup<string>({
    changes: database.changes,
    topic: 'connection',
    limit: maxCachedStatuses,
    load: async (botId) => {
      const row = await findConnectionState(database, botId);
      return row && JSON.stringify(toStatus(row));
    },
  });
}
