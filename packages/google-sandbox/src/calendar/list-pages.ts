import { randomText } from '../random-ids.ts';
import { ApiError } from './errors.ts';
import type { Calendar, StoredEvent } from './event-record.ts';

/** How many unfinished lists are kept for their next page; the oldest go first. */
const KEPT_LISTS = 256;
const DAY_MS = 86_400_000;

type KeptList = {
  calendarId: string;
  items: StoredEvent[];
  /** What the last page carries. */
  nextSyncToken: string | undefined;
};

type ListPage = {
  items: StoredEvent[];
  nextPageToken?: string;
  nextSyncToken?: string;
};

/** Pages of one list: all come from what the first page found, so that none is skipped or doubled. */
export type ListPager = {
  first(list: KeptList, size: number): ListPage;
  /** @throws ApiError invalid for a token that is unknown or of another calendar */
  next(calendarId: string, pageToken: string, size: number): ListPage;
};

export function createListPager(): ListPager {
  const kept = new Map<string, KeptList>();

  function page(key: string | undefined, list: KeptList, offset: number, size: number): ListPage {
    const items = list.items.slice(offset, offset + size);
    const end = offset + items.length;
    if (end >= list.items.length) {
      return list.nextSyncToken === undefined
        ? { items }
        : { items, nextSyncToken: list.nextSyncToken };
    }
    return { items, nextPageToken: `${key ?? keep(list)}.${end}` };
  }

  function keep(list: KeptList): string {
    const key = randomText(12);
    kept.set(key, list);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_LISTS) break;
      kept.delete(oldest);
    }
    return key;
  }

  return {
    first: (list, size) => page(undefined, list, 0, size),
    next(calendarId, pageToken, size) {
      const mark = pageToken.lastIndexOf('.');
      const key = pageToken.slice(0, mark);
      const list = kept.get(key);
      const offset = Number(pageToken.slice(mark + 1));
      if (list === undefined || list.calendarId !== calendarId || !(offset > 0)) {
        throw new ApiError('invalid', {
          message: 'Invalid page token value.',
          locationType: 'parameter',
          location: 'pageToken',
        });
      }
      return page(key, list, offset, size);
    },
  };
}

/** What a sync token stands for: a state of one calendar at one time. */
export function makeSyncToken(calendar: Calendar, now: number): string {
  return Buffer.from(
    JSON.stringify([calendar.id, calendar.version, calendar.syncEpoch, now]),
  ).toString('base64url');
}

/**
 * The version a sync token stands for (check 57).
 * @throws ApiError fullSyncRequired when it is too old, of before a change of sharing, or garbage
 * (the last switchable to 400)
 */
export function readSyncToken(
  token: string,
  calendar: Calendar,
  now: number,
  lifeDays: number,
  garbageStatus: 400 | 410,
): number {
  const garbage = new ApiError(garbageStatus === 410 ? 'fullSyncRequired' : 'invalidSyncToken');
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw garbage;
  }
  if (!Array.isArray(parts)) throw garbage;
  const [id, version, epoch, issuedAt] = parts as unknown[];
  if (id !== calendar.id || typeof version !== 'number' || typeof issuedAt !== 'number') {
    throw garbage;
  }
  if (epoch !== calendar.syncEpoch || now - issuedAt > lifeDays * DAY_MS) {
    throw new ApiError('fullSyncRequired');
  }
  return version;
}
