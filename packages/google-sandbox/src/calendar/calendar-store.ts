import type { Clock } from '../clock.ts';
import { ACCESS_ROLES, type AccessRole, type Account, type CalendarSeed } from '../directory.ts';
import { newEventId } from '../random-ids.ts';
import { ApiError } from './errors.ts';
import type { Calendar, StoredEvent } from './event-record.ts';
import { basicForm } from './moments.ts';
import { isZone } from './zone-offsets.ts';

export type VisibleCalendar = { calendar: Calendar; role: AccessRole };

/** All calendars, and every change to their events. */
export type CalendarStore = {
  /** Makes the primary calendar of an account, and those its seed names. @throws TypeError on a bad zone or role */
  open(account: Account, seeds: readonly CalendarSeed[]): void;
  primaryOf(account: Account): Calendar;
  /** The calendar if the account may see it. `primary` is the account's own. */
  find(account: Account, calendarId: string): VisibleCalendar | undefined;
  /** As find. @throws ApiError notFound; requiredAccessLevel when the role is too low */
  require(account: Account, calendarId: string, role: AccessRole): VisibleCalendar;
  byId(calendarId: string): Calendar | undefined;
  visibleTo(account: Account): VisibleCalendar[];
  /** Gives a role on a calendar, or takes it away; followers then need a full sync. */
  share(calendar: Calendar, email: string, role: AccessRole | 'none'): void;
  /** Puts a new or changed event into its calendar and tells the listeners. */
  save(calendar: Calendar, event: StoredEvent): void;
  /** Called after each change. */
  onChange(listener: (calendar: Calendar, event: StoredEvent) => void): void;
};

/** How the role check of a method is worded (facts §2, 403 requiredAccessLevel). */
export function createCalendarStore(
  clock: Clock,
  requiredAccessLevelDomain: () => 'calendar' | 'global',
): CalendarStore {
  const calendars = new Map<string, Calendar>();
  const listeners: ((calendar: Calendar, event: StoredEvent) => void)[] = [];

  function open(account: Account, seeds: readonly CalendarSeed[]): void {
    const own = seeds.filter((seed) => seed.id !== 'primary' && seed.id !== account.email);
    const primary = seeds.find((seed) => seed.id === 'primary' || seed.id === account.email);
    // All are made before any is added, so that a wrong seed leaves nothing behind.
    const made = [
      make(account, { ...primary, id: account.email }, true),
      ...own.map((seed) => make(account, seed, false)),
    ];
    for (const calendar of made) calendars.set(calendar.id, calendar);
  }

  function make(owner: Account, seed: CalendarSeed, primary: boolean): Calendar {
    const id = seed.id ?? `${newEventId()}@group.calendar.google.com`;
    const timeZone = seed.timeZone ?? owner.timeZone;
    if (!isZone(timeZone)) throw new TypeError(`"${timeZone}" is not an IANA time zone.`);
    if (calendars.has(id)) throw new TypeError(`There already is a calendar ${id}.`);
    const sharedWith = new Map<string, AccessRole>();
    for (const [email, role] of Object.entries(seed.sharedWith ?? {})) {
      if (!ACCESS_ROLES.includes(role)) throw new TypeError(`"${role}" is not an access role.`);
      sharedWith.set(email.toLowerCase(), role);
    }
    return {
      id,
      owner,
      primary,
      summary: seed.summary ?? (primary ? owner.email : id),
      timeZone,
      sharedWith,
      defaultReminders: primary ? [{ method: 'popup', minutes: 10 }] : [],
      events: new Map(),
      exceptions: new Map(),
      changes: [],
      version: 0,
      nextOrdinal: 0,
      updatedMs: clock.now(),
      syncEpoch: 0,
    };
  }

  function roleOf(calendar: Calendar, account: Account): AccessRole | undefined {
    return calendar.owner === account ? 'owner' : calendar.sharedWith.get(account.email);
  }

  function find(account: Account, calendarId: string): VisibleCalendar | undefined {
    const id = calendarId === 'primary' ? account.email : calendarId;
    const calendar = calendars.get(id) ?? calendars.get(id.toLowerCase());
    const role = calendar && roleOf(calendar, account);
    return calendar && role ? { calendar, role } : undefined;
  }

  return {
    open,
    primaryOf: (account) => calendars.get(account.email) as Calendar,
    find,
    require(account, calendarId, role) {
      const found = find(account, calendarId);
      if (found === undefined) throw new ApiError('notFound');
      if (ACCESS_ROLES.indexOf(found.role) < ACCESS_ROLES.indexOf(role)) {
        throw new ApiError('requiredAccessLevel', {
          domain: requiredAccessLevelDomain(),
          message: `You need to have ${role} access to this calendar.`,
        });
      }
      return found;
    },
    byId: (id) => calendars.get(id),
    visibleTo: (account) =>
      [...calendars.values()].flatMap((calendar) => {
        const role = roleOf(calendar, account);
        return role === undefined ? [] : [{ calendar, role }];
      }),
    share(calendar, email, role) {
      if (role === 'none') calendar.sharedWith.delete(email.toLowerCase());
      else calendar.sharedWith.set(email.toLowerCase(), role);
      calendar.syncEpoch += 1;
    },
    save(calendar, event) {
      calendar.version += 1;
      calendar.updatedMs = Math.max(calendar.updatedMs, event.updatedMs);
      event.version = calendar.version;
      calendar.events.set(event.id, event);
      calendar.changes.push({ version: event.version, event });
      if (calendar.changes.length > 2 * calendar.events.size + 64) {
        calendar.changes = calendar.changes.filter(
          (entry) => entry.version === entry.event.version,
        );
      }
      if (event.exception !== undefined) rememberException(calendar, event, event.exception);
      for (const listener of listeners) listener(calendar, event);
    },
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
}

function rememberException(
  calendar: Calendar,
  event: StoredEvent,
  exception: NonNullable<StoredEvent['exception']>,
): void {
  let ofSeries = calendar.exceptions.get(exception.seriesId);
  if (ofSeries === undefined) {
    ofSeries = new Map();
    calendar.exceptions.set(exception.seriesId, ofSeries);
  }
  ofSeries.set(basicForm(exception.originalStart), event);
}
