import type { CalendarStatus, ConnectionStatus } from '@calhook/contract';
import { toAscii } from '../ascii-json.ts';
import { CachedLookup, type Database, PackedTexts } from '../db/index.ts';
import type { ExpressRoute } from '../http/express-lane.ts';
import { needsOwner, type ReconnectLinks } from './reconnect.ts';
import { type ConnectionState, connectionStateFinder } from './store.ts';

/**
 * How much memory rendered answers may take. One takes about 200 bytes, so this is a million bots; it
 * is only used as bots are asked about.
 */
const maxCachedBytes = 256 * 1024 * 1024;

function toStatus(row: ConnectionState, reconnectUrl: string | null): CalendarStatus {
  const status: ConnectionStatus = row.status ?? 'not_connected';
  return {
    connected: status !== 'not_connected',
    expired: needsOwner(row),
    status,
    account: row.account_email,
    calendarId: row.calendar_id,
    reason: row.status_reason,
    reconnectUrl,
    since: row.status_since,
    expiresAt: row.refresh_token_expires_at,
  };
}

/**
 * Answers of the status route, rendered once and kept until the connection changes. They read
 * stored state only: no call to Google, no lock (design §4).
 */
export function openStatuses(database: Database, links: ReconnectLinks): CachedLookup<string> {
  const find = connectionStateFinder(database);
  return new CachedLookup<string>({
    changes: database.changes,
    topics: ['connection'],
    memory: new PackedTexts(maxCachedBytes),
    load: async (botId) => {
      const row = await find(botId);
      return row && toAscii(JSON.stringify(toStatus(row, links.url(botId, row))));
    },
  });
}

/** The status route as the express lane answers it. */
export function statusLane(statuses: CachedLookup<string>): ExpressRoute {
  return {
    prefix: '/api/calendar/status/',
    route: '/api/calendar/status/:botId',
    scope: 'status:read',
    answer(botId) {
      const text = statuses.peek(botId);
      return text === undefined ? undefined : { botId, text };
    },
  };
}
