import { json, type Reply } from '../http/reply.ts';
import type { Route } from '../http/router.ts';
import type { World } from '../world.ts';
import { type ApiCall, methodRoute } from './api-call.ts';
import type { VisibleCalendar } from './calendar-store.ts';
import { ApiError } from './errors.ts';
import { list, object, optional, text } from './field-readers.ts';
import { busySpans } from './free-busy.ts';
import { instantOfRfc3339 } from './moments.ts';
import { formatInstant, isZone } from './zone-offsets.ts';

const DAY_MS = 86_400_000;
/** Most calendars in one freeBusy query (calendarExpansionMax). */
const MOST_CALENDARS = 50;

/** freeBusy, calendarList, calendars and settings (facts §2, checks 60–63). */
export function otherCalendarRoutes(world: World): Route[] {
  return [
    methodRoute(world, 'freebusy.query', (call) => freeBusy(world, call)),
    methodRoute(world, 'calendarList.list', (call) =>
      json(200, {
        kind: 'calendar#calendarList',
        etag: '"calendarlist"',
        items: world.calendars
          .visibleTo(call.account)
          .map((found) => listEntry(found, call.account.email)),
      }),
    ),
    methodRoute(world, 'calendarList.get', (call) =>
      json(200, listEntry(seen(world, call), call.account.email)),
    ),
    methodRoute(world, 'calendars.get', (call) => {
      const { calendar } = seen(world, call);
      return json(200, {
        kind: 'calendar#calendar',
        etag: `"${calendar.updatedMs}"`,
        id: calendar.id,
        summary: calendar.summary,
        timeZone: calendar.timeZone,
        conferenceProperties: { allowedConferenceSolutionTypes: ['hangoutsMeet'] },
      });
    }),
    methodRoute(world, 'settings.list', (call) =>
      json(200, {
        kind: 'calendar#settings',
        etag: '"settings"',
        items: [...settingsOf(world, call)].map(([id, value]) => setting(id, value)),
      }),
    ),
    methodRoute(world, 'settings.get', (call) => {
      const id = call.params.setting ?? '';
      const value = settingsOf(world, call).get(id);
      if (value === undefined) throw new ApiError('notFound');
      return json(200, setting(id, value));
    }),
  ];
}

function seen(world: World, call: ApiCall): VisibleCalendar {
  return world.calendars.require(call.account, call.params.calendarId ?? '', 'freeBusyReader');
}

function listEntry({ calendar, role }: VisibleCalendar, viewer: string): Record<string, unknown> {
  const own = calendar.owner.email === viewer;
  return {
    kind: 'calendar#calendarListEntry',
    etag: `"${calendar.updatedMs}"`,
    id: calendar.id,
    summary: calendar.summary,
    timeZone: calendar.timeZone,
    colorId: '14',
    backgroundColor: '#9fe1e7',
    foregroundColor: '#000000',
    selected: true,
    accessRole: role,
    defaultReminders: own ? calendar.defaultReminders : [],
    ...(own && calendar.primary
      ? {
          notificationSettings: {
            notifications: [
              'eventCreation',
              'eventChange',
              'eventCancellation',
              'eventResponse',
            ].map((type) => ({ type, method: 'email' })),
          },
          primary: true,
        }
      : {}),
    conferenceProperties: { allowedConferenceSolutionTypes: ['hangoutsMeet'] },
  };
}

function settingsOf(world: World, call: ApiCall): Map<string, string> {
  return new Map([
    ['timezone', world.calendars.primaryOf(call.account).timeZone],
    ['format24HourTime', 'true'],
    ['locale', 'en'],
    ['weekStart', '1'],
    ['dateFieldOrder', 'DMY'],
    ['defaultEventLength', '60'],
    ['autoAddHangouts', 'false'],
    ['hideInvitations', 'false'],
    ['hideWeekends', 'false'],
    ['showDeclinedEvents', 'true'],
    ['useKeyboardShortcuts', 'true'],
  ]);
}

function setting(id: string, value: string): Record<string, string> {
  return { kind: 'calendar#setting', etag: `"${id}"`, id, value };
}

function freeBusy(world: World, call: ApiCall): Reply {
  const body = call.body();
  const range = { start: bound(body, 'timeMin'), end: bound(body, 'timeMax') };
  if (range.end <= range.start) throw new ApiError('timeRangeEmpty');
  if (range.end - range.start > world.switches.freeBusyMaxDays * DAY_MS) {
    throw new ApiError('timeRangeTooLong');
  }
  const zone = optional(body, 'timeZone', text, 'freeBusy') ?? 'UTC';
  if (!isZone(zone)) throw new ApiError('invalid', { message: 'Invalid time zone.' });
  const items = optional(body, 'items', list(object), 'freeBusy') ?? [];
  const ids = items.map((item) => text(item.id, 'items.id'));
  const tooMany = ids.length > MOST_CALENDARS;
  if (tooMany && world.switches.freeBusyTooMany === 'http-400') {
    throw new ApiError('tooManyCalendarsRequested');
  }
  const calendars = new Map(
    ids.map((id) => {
      const found = world.calendars.find(call.account, id);
      const key =
        id === 'primary' && world.switches.freeBusyPrimaryKey === 'email' ? call.account.email : id;
      const reason = tooMany ? 'tooManyCalendarsRequested' : found ? undefined : 'notFound';
      if (reason !== undefined || found === undefined) {
        return [key, { errors: [{ domain: 'global', reason }], busy: [] }];
      }
      const busy = busySpans(found.calendar, range, world.switches).map(({ start, end }) => ({
        start: formatInstant(zone, start),
        end: formatInstant(zone, end),
      }));
      return [key, { busy }];
    }),
  );
  return json(200, {
    kind: 'calendar#freeBusy',
    timeMin: new Date(range.start).toISOString(),
    timeMax: new Date(range.end).toISOString(),
    calendars: Object.fromEntries(calendars),
  });
}

function bound(body: Record<string, unknown>, name: 'timeMin' | 'timeMax'): number {
  const given = optional(body, name, text, 'freeBusy');
  if (given === undefined) {
    throw new ApiError('required', { message: `Missing ${name} parameter.` });
  }
  const ms = instantOfRfc3339(given);
  if (ms === undefined) throw new ApiError('badRequest');
  return ms;
}
