import { adminRoutes } from './admin/routes.ts';
import { createCalendarStore } from './calendar/calendar-store.ts';
import { eventRoutes } from './calendar/event-routes.ts';
import { otherCalendarRoutes } from './calendar/other-routes.ts';
import { startClock } from './clock.ts';
import { driveConsent } from './consent-driver.ts';
import { createDirectory } from './directory.ts';
import { createFaultRegistry } from './faults.ts';
import { createRouter } from './http/router.ts';
import { listen } from './http/server.ts';
import { createLimits } from './limits.ts';
import { createOutbox } from './mail/outbox.ts';
import { startReminders } from './mail/reminders.ts';
import { authorizeRoutes } from './oauth/authorize.ts';
import { createGrantStore } from './oauth/grants.ts';
import { makeSigningKey } from './oauth/id-token.ts';
import { identityRoutes } from './oauth/identity.ts';
import { tokenRoute } from './oauth/token.ts';
import { putEvent, storedEvents } from './owner-edits.ts';
import { createLivePages } from './pages/live.ts';
import { pageRoutes } from './pages/routes.ts';
import { createChannels } from './push/channels.ts';
import { pushRoutes } from './push/routes.ts';
import { createRequestLog } from './request-log.ts';
import type { Sandbox, SandboxControls, SandboxOptions } from './sandbox-api.ts';
import { setSwitches, switchesFrom } from './switches.ts';
import { endpointsAt, type World } from './world.ts';

/**
 * Starts a sandbox.
 * @throws TypeError on a wrong seed or switch; Error of node:net (EADDRINUSE) when it cannot listen
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const switches = switchesFrom(options.switches);
  const clock = startClock(options.now);
  const directory = createDirectory();
  const world: World = {
    clock,
    switches,
    directory,
    grants: createGrantStore(clock, switches),
    calendars: createCalendarStore(clock, () => switches.requiredAccessLevelDomain),
    outbox: createOutbox(clock, directory),
    limits: createLimits(clock, switches),
    channels: createChannels(clock, switches),
    faults: createFaultRegistry(),
    requests: createRequestLog(),
    signingKey: makeSigningKey(),
    endpoints: endpointsAt(''),
  };
  const live = createLivePages();
  world.calendars.onChange((calendar) => {
    world.channels.calendarChanged(calendar);
    live.changed();
  });
  world.outbox.onMail(live.changed);
  startReminders(world);

  const sandbox: SandboxControls = {
    clock,
    switches,
    set: (chosen) => setSwitches(switches, chosen),
    addAccount(seed) {
      directory.addAccount(seed, (account) => world.calendars.open(account, seed.calendars ?? []));
    },
    addClient: (seed) => {
      directory.addClient(seed);
    },
    consent: driveConsent,
    events: (email, calendarId) => storedEvents(world, email, calendarId),
    putEvent: (email, event, calendarId, sendUpdates) =>
      putEvent(world, email, event, calendarId, sendUpdates),
    mailbox: world.outbox.messages,
    requests: world.requests,
    channels: world.channels.list,
    pushIdle: world.channels.idle,
    share(calendarId, email, role) {
      const calendar = world.calendars.byId(calendarId);
      if (calendar === undefined) throw new TypeError(`There is no calendar ${calendarId}.`);
      world.calendars.share(calendar, email, role);
    },
    issuedSecrets: world.grants.issuedSecrets,
    faults: world.faults,
    revokeGrants(email, clientId) {
      const account = directory.account(email);
      if (account === undefined) throw new TypeError(`There is no account ${email}.`);
      const projectId = clientId === undefined ? undefined : directory.client(clientId)?.projectId;
      return world.grants.revokeAccount(account, projectId ?? clientId);
    },
  };
  for (const account of options.accounts ?? []) sandbox.addAccount(account);
  for (const client of options.clients ?? []) sandbox.addClient(client);

  const router = createRouter([
    ...authorizeRoutes(world),
    tokenRoute(world),
    ...identityRoutes(world),
    ...eventRoutes(world),
    ...otherCalendarRoutes(world),
    ...pushRoutes(world),
    ...pageRoutes(world, live),
    ...adminRoutes(world, sandbox),
  ]);
  const server = await listen(options.host ?? '127.0.0.1', options.port ?? 0, {
    router,
    clock,
    switches,
    faults: world.faults,
    requests: world.requests,
  });
  world.endpoints = endpointsAt(server.url);

  return {
    ...sandbox,
    url: server.url,
    endpoints: world.endpoints,
    async close() {
      live.close();
      world.channels.close();
      clock.close();
      await server.close();
      await world.signingKey;
    },
  };
}
