import type { Bots } from '../bots/bots.ts';
import type { AccessTokens } from '../connections/access-tokens.ts';
import type { Connections } from '../connections/connections.ts';
import type { Database } from '../db/index.ts';
import type { GoogleCalendar, RetryPolicy } from '../google/index.ts';
import type { ExpressRoute } from '../http/express-lane.ts';
import type { FrontDoor } from '../http/front-door.ts';
import { hasten, type JobHandler } from '../jobs/jobs.ts';
import type { ApiKeys } from '../keys/keys.ts';
import type { Logger } from '../logger.ts';
import type { MirrorListener } from '../sync/listener.ts';
import { Mirror } from '../sync/mirror.ts';
import { Polling } from '../sync/polling.ts';
import type { Vault } from '../vault/index.ts';
import { AppointmentAnswers } from './answers.ts';
import { Booking } from './booking.ts';
import { CalendarReading } from './calendar-reading.ts';
import { Changes } from './changes.ts';
import { ClaimTurns } from './claim-turns.ts';
import { Conflicts } from './conflicts.ts';
import { eventJobHandler } from './event-job.ts';
import { EventWriter, eventJob } from './event-writer.ts';
import { Holds } from './holds.ts';
import { housekeepingHandlers, startHousekeeping } from './housekeeping.ts';
import { ManageLinks } from './manage-links.ts';
import { manageRoutes } from './manage-routes.ts';
import { Openings } from './openings.ts';
import { OwnerEdits } from './owner-edits.ts';
import { appointmentRoutes } from './routes.ts';
import { SlotAnswers } from './slot-answers.ts';
import { SlotCache } from './slot-cache.ts';
import { slotLane, slotRoutes } from './slot-routes.ts';

interface AppointmentParts {
  readonly database: Database;
  readonly vault: Vault;
  readonly bots: Bots;
  readonly connections: Connections;
  readonly accessTokens: AccessTokens;
  readonly calendar: GoogleCalendar;
  readonly keys: ApiKeys;
  readonly publicUrl: string;
  /** How calls to Google are repeated within a request. */
  readonly retry: RetryPolicy;
  readonly log: Logger;
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}

/** What can be done with appointments; routes and tools call the same. */
export interface AppointmentActions {
  readonly slots: SlotAnswers;
  readonly holds: Holds;
  readonly booking: Booking;
  readonly changes: Changes;
  readonly answers: AppointmentAnswers;
}

/** The room of appointments, opened: its routes, and the work that it leaves to jobs. */
export interface Appointments {
  readonly mirror: Mirror;
  readonly actions: AppointmentActions;
  /** Its route that may be answered from memory. */
  readonly express: ExpressRoute;
  readonly jobHandlers: Readonly<Record<string, JobHandler>>;
  addRoutes(http: FrontDoor): void;
  /** Asks for the jobs that come again and again; a server does so when it listens. */
  start(): Promise<void>;
  /** Has what is put off of a bot done now; never throws. */
  hasten(botId: string): Promise<void>;
  /** Waits for the calls to Google under way. */
  close(): Promise<void>;
}

/** Puts together booking, holding, changing, offering and following. */
export function openAppointments(parts: AppointmentParts): Appointments {
  const { database, bots, connections, accessTokens, calendar, keys, retry, log, now } = parts;
  const ownerEdits = new OwnerEdits({ database, bots, now });
  const listener: MirrorListener = {
    expectedEvents: (calendar, window) => ownerEdits.expected(calendar, window),
    ownEvents: (tx, own) => ownerEdits.follow(tx, own),
    busyChanged: (tx, change) => conflicts.follow(tx, change),
  };
  const mirror = new Mirror({ database, accessTokens, calendar, listener, log, now });
  const conflicts = new Conflicts({ bots, mirror, now });
  const reading = new CalendarReading(mirror, accessTokens, retry.budgetMs);
  const openings = new Openings({ database, mirror, reading, now });
  const links = new ManageLinks(parts.vault, parts.publicUrl);
  const answers = new AppointmentAnswers(links);
  const writer = new EventWriter({
    database,
    bots,
    connections,
    accessTokens,
    calendar,
    mirror,
    conflicts,
    retry,
    now,
  });
  const turns = new ClaimTurns(database);
  const shared = { database, bots, connections, reading, openings, turns, writer, log, now };
  const booking = new Booking({ ...shared, answers });
  const holds = new Holds(shared);
  const changes = new Changes({ ...shared, conflicts });
  const slots = new SlotAnswers(shared);
  const cache = new SlotCache(database, now);
  const housekeeping = {
    database,
    polling: new Polling({ database, connections, mirror, log, now }),
    now,
  };
  return {
    mirror,
    actions: { slots, holds, booking, changes, answers },
    express: slotLane(cache),
    jobHandlers: {
      [eventJob]: eventJobHandler({ database, writer, now }),
      ...housekeepingHandlers(housekeeping),
    },
    addRoutes(http) {
      appointmentRoutes(http, { database, bots, booking, changes, answers, keys });
      slotRoutes(http, { answers: slots, cache, holds });
      manageRoutes(http, { database, bots, links, changes, slots, now });
    },
    start: () => startHousekeeping(housekeeping),
    async hasten(botId) {
      try {
        await database.transaction((tx) => hasten(tx, eventJob, botId, now()));
      } catch (error) {
        log.error({ err: error, botId }, 'jobs of a bot not hastened; they run when they are due');
      }
    },
    close: () => mirror.close(),
  };
}
