import { openAppointments } from './appointments/index.ts';
import { activityRoutes } from './bots/activity-routes.ts';
import { Bots } from './bots/bots.ts';
import { botRoutes } from './bots/routes.ts';
import type { Config } from './config.ts';
import { AccessTokens } from './connections/access-tokens.ts';
import { ConnectionCare } from './connections/care.ts';
import { Connections } from './connections/connections.ts';
import { Consents } from './connections/consent.ts';
import { consentRoutes } from './connections/consent-routes.ts';
import { ConsentSteps } from './connections/consent-steps.ts';
import { OperatorAlarm } from './connections/operator-alarm.ts';
import { ReconnectLinks } from './connections/reconnect.ts';
import { Refresh, type RefreshPolicy, refreshPolicy } from './connections/refresh.ts';
import { connectionRoutes } from './connections/routes.ts';
import { openStatuses, statusLane } from './connections/status.ts';
import { openDatabase } from './db/index.ts';
import { GoogleCalendar, GoogleOAuth, type RetryPolicy } from './google/index.ts';
import { type FrontDoor, openFrontDoor } from './http/front-door.ts';
import { healthRoutes } from './http/health.ts';
import { describeApi } from './http/openapi.ts';
import { Worker, workerPolicy } from './jobs/worker.ts';
import { ApiKeys } from './keys/keys.ts';
import { keyRoutes } from './keys/routes.ts';
import type { Logger } from './logger.ts';
import { agentPageRoutes } from './mcp/agent-pages.ts';
import { mcpRoutes } from './mcp/routes.ts';
import { openVault } from './vault/index.ts';
import { version } from './version.ts';

/** What tests set and production leaves alone. */
export interface AppOptions {
  readonly log: Logger;
  /** Clock in epoch milliseconds; default: the machine's. */
  readonly now?: () => number;
  /** How calls to Google are repeated within a booking. */
  readonly retry?: RetryPolicy;
  /** How grants are refreshed. */
  readonly refresh?: RefreshPolicy;
}

/** A booking waits this long for Google at the most; chat windows and n8n wait longer. */
const bookingRetry: RetryPolicy = { budgetMs: 8_000, firstPauseMs: 200, maxPauseMs: 2_000 };

/** The whole server but for its socket. */
export interface App {
  readonly http: FrontDoor;
  readonly care: ConnectionCare;
  /** Starts the work that no request asks for; a server does so when it listens. */
  start(): Promise<void>;
  /** The durable work; a server starts it when it listens. */
  readonly worker: Worker;
  /** Ends everything the app opened; requests under way are finished first. */
  close(): Promise<void>;
}

/** Opens the database and the vault, and wires the rooms into one HTTP server. */
export async function openApp(config: Config, options: AppOptions): Promise<App> {
  const { log, now = Date.now, retry = bookingRetry } = options;
  const database = await openDatabase(config.databaseUrl);
  if (database.migrated.length > 0) log.info({ migrations: database.migrated }, 'tables migrated');
  try {
    const vault = await openVault(config.encryptionKeys, database, now);
    const keys = new ApiKeys(database, now);
    if (config.bootstrapApiKey) await keys.ensureBootstrapKey(config.bootstrapApiKey);

    const redirectUri = `${config.publicUrl}/oauth/google/callback`;
    const oauth = new GoogleOAuth(config.google, redirectUri, now);
    const calendar = new GoogleCalendar(config.google.apiUrl);
    const bots = new Bots(database, now);
    const alarm = new OperatorAlarm(log, now);
    const connectionParts = { database, vault, oauth, alarm, log, now };
    const connections = new Connections(connectionParts);
    const refresh = new Refresh(connectionParts, options.refresh ?? refreshPolicy);
    const accessTokens = new AccessTokens(connectionParts, refresh);
    const { publicUrl } = config;
    const consentParts = {
      database,
      vault,
      oauth,
      calendar,
      bots,
      connections,
      publicUrl,
      alarm,
      log,
      now,
    };
    const steps = new ConsentSteps(consentParts);
    const reconnectLinks = new ReconnectLinks(vault, publicUrl);
    const consents = new Consents(consentParts, steps, reconnectLinks);
    const care = new ConnectionCare(connectionParts, refresh, steps);
    const appointments = openAppointments({
      database,
      vault,
      bots,
      connections,
      accessTokens,
      calendar,
      keys,
      publicUrl,
      retry,
      log,
      now,
    });
    const worker = new Worker({
      database,
      handlers: appointments.jobHandlers,
      log,
      now,
      policy: workerPolicy,
    });
    // Who connects again need not wait for what was put off until then.
    database.changes.follow(
      'connection',
      (botId) => void appointments.hasten(botId).then(() => worker.wake()),
      () => {},
    );
    const statuses = openStatuses(database, reconnectLinks);

    const http = await openFrontDoor({
      config,
      keys,
      log,
      express: [statusLane(statuses), appointments.express],
      now,
    });
    await describeApi(http, version);
    healthRoutes(http, database);
    botRoutes(http, bots, (botId) => connections.disconnect(botId));
    keyRoutes(http, keys);
    connectionRoutes(http, { bots, connections, consents, statuses });
    const consentOrigin = new URL(config.google.authUrl).origin;
    await http.register((pages) =>
      consentRoutes(pages as FrontDoor, { consents, steps, publicUrl, consentOrigin }),
    );
    activityRoutes(http, { database, bots });
    appointments.addRoutes(http);
    const { actions } = appointments;
    mcpRoutes(http, { bots, statuses, keys, actions, publicUrl, log });
    agentPageRoutes(http, { bots, publicUrl });

    return {
      http,
      care,
      worker,
      async start() {
        care.start();
        await appointments.start();
        worker.start();
      },
      async close() {
        await http.close();
        await worker.close();
        await appointments.close();
        await care.close();
        await refresh.close();
        await keys.close();
        await calendar.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
