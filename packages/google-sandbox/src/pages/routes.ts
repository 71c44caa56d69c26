import { html } from '../http/reply.ts';
import type { Route } from '../http/router.ts';
import type { World } from '../world.ts';
import { calendarWeekPage } from './calendar-week.ts';
import type { LivePages } from './live.ts';
import { mailboxPage } from './mailbox.ts';
import { overviewPage } from './overview.ts';

/** Pages for people. Their names begin with `sandbox.`, so that faults and the log leave them out. */
export function pageRoutes(world: World, live: LivePages): Route[] {
  return [
    {
      name: 'sandbox.page.overview',
      method: 'GET',
      path: '/',
      handle: () => html(200, overviewPage(world)),
    },
    {
      name: 'sandbox.page.calendar',
      method: 'GET',
      path: '/calendar/:calendarId',
      handle({ params, query }) {
        const id = params.calendarId ?? '';
        const calendar = world.calendars.byId(id) ?? world.calendars.byId(id.toLowerCase());
        if (calendar === undefined) return html(404, overviewPage(world));
        return html(200, calendarWeekPage(calendar, world.clock.now(), query.get('week')));
      },
    },
    {
      name: 'sandbox.page.mailbox',
      method: 'GET',
      path: '/mailbox',
      handle: () => html(200, mailboxPage(world.outbox.messages(), undefined)),
    },
    {
      name: 'sandbox.page.mailbox',
      method: 'GET',
      path: '/mailbox/:email',
      handle: ({ params }) =>
        html(200, mailboxPage(world.outbox.messages(params.email), params.email)),
    },
    {
      name: 'sandbox.live',
      method: 'GET',
      path: '/sandbox/live',
      handle: () => live.stream(),
    },
  ];
}
