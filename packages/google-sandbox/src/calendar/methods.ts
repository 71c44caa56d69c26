/**
 * The Calendar methods: where they answer, how Google's error details call them, and which scopes
 * they accept (facts §1 "Scopes", taken from the discovery document of @googleapis/calendar 20.0.1).
 * Scopes are without their `https://www.googleapis.com/auth/` prefix.
 */
type MethodRow = {
  verb: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  rpc: string;
  scopes: readonly string[];
};

const WRITE = ['calendar', 'calendar.app.created', 'calendar.events', 'calendar.events.owned'];
const READ = [
  ...WRITE,
  'calendar.events.freebusy',
  'calendar.events.owned.readonly',
  'calendar.events.public.readonly',
  'calendar.events.readonly',
  'calendar.readonly',
];
const CALENDAR_LIST = [
  'calendar',
  'calendar.calendarlist',
  'calendar.calendarlist.readonly',
  'calendar.readonly',
];
const SETTINGS = ['calendar', 'calendar.readonly', 'calendar.settings.readonly'];

const EVENTS = '/calendar/v3/calendars/:calendarId/events';

export const METHODS = {
  'events.insert': method('POST', EVENTS, 'Events.Insert', WRITE),
  'events.list': method('GET', EVENTS, 'Events.List', READ),
  'events.get': method('GET', `${EVENTS}/:eventId`, 'Events.Get', READ),
  'events.patch': method('PATCH', `${EVENTS}/:eventId`, 'Events.Patch', WRITE),
  'events.update': method('PUT', `${EVENTS}/:eventId`, 'Events.Update', WRITE),
  'events.delete': method('DELETE', `${EVENTS}/:eventId`, 'Events.Delete', WRITE),
  'events.instances': method('GET', `${EVENTS}/:eventId/instances`, 'Events.Instances', READ),
  'events.move': method('POST', `${EVENTS}/:eventId/move`, 'Events.Move', [
    'calendar',
    'calendar.events',
    'calendar.events.owned',
  ]),
  'events.watch': method('POST', `${EVENTS}/watch`, 'Events.Watch', READ),
  'channels.stop': method('POST', '/calendar/v3/channels/stop', 'Channels.Stop', [
    'calendar',
    'calendar.acls',
    'calendar.acls.readonly',
    'calendar.app.created',
    'calendar.calendarlist',
    'calendar.calendarlist.readonly',
    'calendar.events',
    'calendar.events.freebusy',
    'calendar.events.owned',
    'calendar.events.owned.readonly',
    'calendar.events.public.readonly',
    'calendar.events.readonly',
    'calendar.readonly',
    'calendar.settings.readonly',
  ]),
  'freebusy.query': method('POST', '/calendar/v3/freeBusy', 'Freebusy.Query', [
    'calendar',
    'calendar.events.freebusy',
    'calendar.freebusy',
    'calendar.readonly',
  ]),
  'calendarList.list': method(
    'GET',
    '/calendar/v3/users/me/calendarList',
    'CalendarList.List',
    CALENDAR_LIST,
  ),
  'calendarList.get': method(
    'GET',
    '/calendar/v3/users/me/calendarList/:calendarId',
    'CalendarList.Get',
    [...CALENDAR_LIST, 'calendar.app.created'],
  ),
  'calendars.get': method('GET', '/calendar/v3/calendars/:calendarId', 'Calendars.Get', [
    'calendar',
    'calendar.app.created',
    'calendar.calendars',
    'calendar.calendars.readonly',
    'calendar.readonly',
  ]),
  'settings.list': method('GET', '/calendar/v3/users/me/settings', 'Settings.List', SETTINGS),
  'settings.get': method(
    'GET',
    '/calendar/v3/users/me/settings/:setting',
    'Settings.Get',
    SETTINGS,
  ),
} as const satisfies Record<string, MethodRow>;

export type MethodName = keyof typeof METHODS;

function method(
  verb: MethodRow['verb'],
  path: string,
  rpc: string,
  scopes: readonly string[],
): MethodRow {
  return { verb, path, rpc: `calendar.v3.${rpc}`, scopes };
}
