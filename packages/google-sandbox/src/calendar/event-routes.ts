import { headerOf } from '../http/headers.ts';
import type { Query } from '../http/query.ts';
import { empty, json, type Reply } from '../http/reply.ts';
import type { Route } from '../http/router.ts';
import type { SendUpdates } from '../mail/message.ts';
import type { World } from '../world.ts';
import { type ApiCall, methodRoute } from './api-call.ts';
import type { VisibleCalendar } from './calendar-store.ts';
import { ApiError } from './errors.ts';
import type { StoredEvent } from './event-record.ts';
import { etagOf, renderEvent, type View } from './event-rendering.ts';
import { createListPager, makeSyncToken, readSyncToken } from './list-pages.ts';
import { readListQuery, readViewQuery } from './list-query.ts';
import { changesSince, fullList } from './listing.ts';
import { moveEvent } from './moving.ts';
import { withinReach } from './scope-reach.ts';
import { detach, findEvent, instancesOf, isSeries } from './series.ts';
import { cancelEvent, changeEvent, insertEvent, type Writer } from './writing.ts';

/** events.* of the Calendar API (facts §2, checks 37–60). */
export function eventRoutes(world: World): Route[] {
  const pager = createListPager();
  const { clock, switches, calendars, directory, outbox, limits } = world;
  /** What every writer has, whoever writes. */
  const base = { clock, switches, calendars, directory, outbox, limits };

  function target(call: ApiCall, role: 'freeBusyReader' | 'writer'): VisibleCalendar {
    const { calendarId = '' } = call.params;
    return withinReach(world.calendars.require(call.account, calendarId, role), call.reach);
  }

  function existing(call: ApiCall, found: VisibleCalendar): StoredEvent {
    const event = findEvent(found.calendar, call.params.eventId ?? '');
    if (event === undefined) throw new ApiError('notFound');
    return event;
  }

  function viewFor(call: ApiCall, found: VisibleCalendar): View {
    return { role: found.role, now: world.clock.now(), ...readViewQuery(call.query) };
  }

  function answer(call: ApiCall, found: VisibleCalendar, event: StoredEvent): Reply {
    const resource = renderEvent(found.calendar, event, viewFor(call, found));
    return json(200, resource, { etag: resource.etag });
  }

  /** If-Match on changes (check 54). */
  function assertMatches(call: ApiCall, event: StoredEvent): void {
    const wanted = headerOf(call, 'if-match');
    if (wanted === undefined || wanted === '*') return;
    const etags = wanted.split(',').map((etag) => etag.trim());
    if (!etags.includes(etagOf(event))) throw new ApiError('conditionNotMet');
  }

  function writerFor(call: ApiCall): Writer {
    const version = Number(call.query.get('conferenceDataVersion') ?? 0);
    if (version !== 0 && version !== 1) {
      throw new ApiError('invalid', {
        message: 'Invalid value for conferenceDataVersion.',
        locationType: 'parameter',
        location: 'conferenceDataVersion',
      });
    }
    return {
      ...base,
      actor: call.account,
      sendUpdates: sendUpdatesOf(call.query),
      conferenceDataVersion: version,
    };
  }

  function change(call: ApiCall, mode: 'patch' | 'update'): Reply {
    const found = target(call, 'writer');
    const event = existing(call, found);
    assertMatches(call, event);
    const own = detach(found.calendar, event);
    const changed = changeEvent(writerFor(call), found.calendar, own, call.body(), mode);
    return answer(call, found, changed);
  }

  function list(call: ApiCall): Reply {
    const found = target(call, 'freeBusyReader');
    const { calendar, role } = found;
    const query = readListQuery(call.query);
    const now = world.clock.now();
    const page =
      query.pageToken !== undefined
        ? pager.next(calendar.id, query.pageToken, query.maxResults)
        : pager.first(
            {
              calendarId: calendar.id,
              items: itemsFor(found, query, now),
              nextSyncToken: givesSyncToken(query) ? makeSyncToken(calendar, now) : undefined,
            },
            query.maxResults,
          );
    const view: View = { role, timeZone: query.timeZone, maxAttendees: query.maxAttendees, now };
    const etag = `"p${calendar.version.toString(32)}${calendar.syncEpoch}"`;
    if (headerOf(call, 'if-none-match') === etag) return empty(304, { etag });
    const { items, ...tokens } = page;
    return json(
      200,
      {
        kind: 'calendar#events',
        etag,
        summary: calendar.summary,
        description: '',
        updated: new Date(calendar.updatedMs).toISOString(),
        timeZone: query.timeZone ?? calendar.timeZone,
        accessRole: role,
        defaultReminders: role === 'owner' ? calendar.defaultReminders : [],
        ...tokens,
        items: items.map((event) => renderEvent(calendar, event, view)),
      },
      { etag },
    );
  }

  function itemsFor(
    { calendar }: VisibleCalendar,
    query: ReturnType<typeof readListQuery>,
    now: number,
  ): StoredEvent[] {
    if (query.syncToken === undefined) return fullList(calendar, query, world.switches);
    const { syncTokenLifeDays, garbageSyncToken } = world.switches;
    const since = readSyncToken(
      query.syncToken,
      calendar,
      now,
      syncTokenLifeDays,
      garbageSyncToken,
    );
    return changesSince(calendar, since, query);
  }

  return [
    methodRoute(world, 'events.insert', (call) => {
      const found = target(call, 'writer');
      return answer(call, found, insertEvent(writerFor(call), found.calendar, call.body()));
    }),
    methodRoute(world, 'events.get', (call) => {
      const found = target(call, 'freeBusyReader');
      const event = existing(call, found);
      const etag = etagOf(event);
      if (headerOf(call, 'if-none-match') === etag) return empty(304, { etag });
      return answer(call, found, event);
    }),
    methodRoute(world, 'events.patch', (call) => change(call, 'patch')),
    methodRoute(world, 'events.update', (call) => change(call, 'update')),
    methodRoute(world, 'events.delete', (call) => {
      const found = target(call, 'writer');
      const event = existing(call, found);
      assertMatches(call, event);
      cancelEvent(writerFor(call), found.calendar, detach(found.calendar, event));
      return empty(204);
    }),
    methodRoute(world, 'events.list', list),
    methodRoute(world, 'events.instances', (call) => {
      const found = target(call, 'freeBusyReader');
      const series = existing(call, found);
      if (!isSeries(series)) {
        throw new ApiError('invalid', { message: 'Event is not recurring.' });
      }
      const query = readListQuery(call.query);
      const page =
        query.pageToken !== undefined
          ? pager.next(found.calendar.id, query.pageToken, query.maxResults)
          : pager.first(
              {
                calendarId: found.calendar.id,
                items: instancesOf(found.calendar, series, query),
                nextSyncToken: undefined,
              },
              query.maxResults,
            );
      const view = viewFor(call, found);
      return json(200, {
        kind: 'calendar#events',
        etag: etagOf(series),
        summary: found.calendar.summary,
        updated: new Date(found.calendar.updatedMs).toISOString(),
        timeZone: query.timeZone ?? found.calendar.timeZone,
        accessRole: found.role,
        ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
        items: page.items.map((event) => renderEvent(found.calendar, event, view)),
      });
    }),
    methodRoute(world, 'events.move', (call) => {
      const found = target(call, 'writer');
      const event = existing(call, found);
      const destination = world.calendars.require(
        call.account,
        call.query.get('destination') ?? '',
        'writer',
      );
      const moved = moveEvent(writerFor(call), found.calendar, event, destination.calendar);
      return json(
        200,
        renderEvent(destination.calendar, moved, {
          role: destination.role,
          now: world.clock.now(),
        }),
      );
    }),
  ];
}

/** orderBy and the filters that cannot be followed keep Google from handing out a token. */
function givesSyncToken(query: ReturnType<typeof readListQuery>): boolean {
  return (
    query.orderBy === undefined &&
    query.search === undefined &&
    query.iCalUID === undefined &&
    query.updatedMin === undefined &&
    query.privateProperties.length === 0 &&
    query.sharedProperties.length === 0
  );
}

/** Nobody is mailed unless asked for; sendNotifications is the old name of `all`. */
function sendUpdatesOf(query: Query): SendUpdates {
  const asked = query.get('sendUpdates');
  if (asked === null) return query.get('sendNotifications') === 'true' ? 'all' : 'none';
  if (asked === 'all' || asked === 'externalOnly' || asked === 'none') return asked;
  throw new ApiError('invalid', {
    message: `Invalid value: '${asked}'.`,
    locationType: 'parameter',
    location: 'sendUpdates',
  });
}
