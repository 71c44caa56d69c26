import type { Query } from '../http/query.ts';
import { ApiError } from './errors.ts';
import { instantOfRfc3339 } from './moments.ts';
import { isZone } from './zone-offsets.ts';

const DEFAULT_PAGE = 250;
const LARGEST_PAGE = 2500;

/** The parameters of events.list and events.instances, checked (facts §2 "events.list"). */
export type ListQuery = {
  maxResults: number;
  pageToken: string | undefined;
  syncToken: string | undefined;
  /** Epoch ms; bounds are exclusive on the event's end and start. */
  timeMin: number | undefined;
  timeMax: number | undefined;
  updatedMin: number | undefined;
  singleEvents: boolean;
  showDeleted: boolean;
  orderBy: 'startTime' | 'updated' | undefined;
  search: string | undefined;
  iCalUID: string | undefined;
  eventTypes: string[];
  privateProperties: [string, string][];
  sharedProperties: [string, string][];
  timeZone: string | undefined;
  maxAttendees: number | undefined;
};

/** Parameters that a sync token may not come with (check 57). */
const NOT_WITH_SYNC_TOKEN = [
  'iCalUID',
  'orderBy',
  'privateExtendedProperty',
  'q',
  'sharedExtendedProperty',
  'timeMin',
  'timeMax',
  'updatedMin',
];

/** @throws ApiError badRequest, invalid, timeRangeEmpty, orderingNotAvailable */
export function readListQuery(query: Query): ListQuery {
  const read: ListQuery = {
    maxResults: Math.min(wholeNumber(query, 'maxResults', 1) ?? DEFAULT_PAGE, LARGEST_PAGE),
    pageToken: query.get('pageToken') ?? undefined,
    syncToken: query.get('syncToken') ?? undefined,
    timeMin: instant(query, 'timeMin'),
    timeMax: instant(query, 'timeMax'),
    updatedMin: instant(query, 'updatedMin'),
    singleEvents: flag(query, 'singleEvents') ?? false,
    showDeleted: flag(query, 'showDeleted') ?? false,
    orderBy: order(query),
    search: query.get('q') ?? undefined,
    iCalUID: query.get('iCalUID') ?? undefined,
    eventTypes: query.getAll('eventTypes'),
    privateProperties: properties(query, 'privateExtendedProperty'),
    sharedProperties: properties(query, 'sharedExtendedProperty'),
    ...readViewQuery(query),
  };
  if (read.timeMin !== undefined && read.timeMax !== undefined && read.timeMin >= read.timeMax) {
    throw new ApiError('timeRangeEmpty');
  }
  if (read.orderBy === 'startTime' && !read.singleEvents) {
    throw new ApiError('orderingNotAvailable');
  }
  if (read.syncToken !== undefined) {
    const bad =
      NOT_WITH_SYNC_TOKEN.find((name) => query.has(name)) ??
      (flag(query, 'showDeleted') === false ? 'showDeleted' : undefined);
    if (bad !== undefined) {
      throw parameterError(bad, `Sync token cannot be used together with ${bad}.`);
    }
  }
  return read;
}

/** The parameters that decide how an event is shown. @throws ApiError invalid */
export function readViewQuery(query: Query): Pick<ListQuery, 'timeZone' | 'maxAttendees'> {
  const timeZone = query.get('timeZone') ?? undefined;
  if (timeZone !== undefined && !isZone(timeZone)) {
    throw parameterError('timeZone', 'Invalid time zone.');
  }
  return { timeZone, maxAttendees: wholeNumber(query, 'maxAttendees', 1) };
}

function parameterError(name: string, message: string): ApiError {
  return new ApiError('invalid', { message, locationType: 'parameter', location: name });
}

function wholeNumber(query: Query, name: string, from: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from)) throw parameterError(name, `Invalid integer value: '${text}'.`);
  return value;
}

function flag(query: Query, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (text !== 'true' && text !== 'false') {
    throw parameterError(name, `Invalid boolean value: '${text}'.`);
  }
  return text === 'true';
}

/** An offset is mandatory (check 58). */
function instant(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const ms = instantOfRfc3339(text);
  if (ms === undefined) throw new ApiError('badRequest');
  return ms - (ms % 1000);
}

function order(query: Query): ListQuery['orderBy'] {
  const text = query.get('orderBy');
  if (text === null) return undefined;
  if (text !== 'startTime' && text !== 'updated') {
    throw parameterError('orderBy', `Invalid value: '${text}'.`);
  }
  return text;
}

function properties(query: Query, name: string): [string, string][] {
  return query.getAll(name).map((constraint) => {
    const mark = constraint.indexOf('=');
    if (mark < 1) throw parameterError(name, `Invalid extended property: '${constraint}'.`);
    return [constraint.slice(0, mark), constraint.slice(mark + 1)];
  });
}
