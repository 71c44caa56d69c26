import type { AccessRole } from '../directory.ts';
import type { VisibleCalendar } from './calendar-store.ts';
import { ApiError } from './errors.ts';

/** How far the scopes of a token carry: which calendars, and how much of their events. */
export type Reach = 'all' | 'owned' | 'free-busy' | 'app-created';

/** The reach of the scopes that a method accepts and the token has. */
export function reachOf(usableScopes: readonly string[]): Reach {
  const narrow = (ending: string) => usableScopes.every((scope) => scope.endsWith(ending));
  if (narrow('/calendar.app.created')) return 'app-created';
  if (narrow('.freebusy')) return 'free-busy';
  const owned = usableScopes.every(
    (scope) => /\.owned(\.readonly)?$/.test(scope) || scope.endsWith('/calendar.app.created'),
  );
  return owned ? 'owned' : 'all';
}

/**
 * Narrows what an account sees to what the token may see.
 * @throws ApiError notFound for calendars beyond its reach (facts §1: calendar.app.created only
 * reaches calendars that the app made, and none is made here)
 */
export function withinReach(found: VisibleCalendar, reach: Reach): VisibleCalendar {
  if (reach === 'app-created') throw new ApiError('notFound');
  if (reach === 'owned' && found.role !== 'owner') throw new ApiError('notFound');
  if (reach !== 'free-busy') return found;
  const role: AccessRole = 'freeBusyReader';
  return { calendar: found.calendar, role };
}
