import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppointmentPage, BotPage, CalendarStatus, ConnectLink } from '@calhook/contract';
import { type Sandbox, startSandbox } from 'google-sandbox';
import type { Static } from 'typebox';
import { readConfig } from '../config.ts';
import { newSecret } from '../identifiers.ts';
import { listenProblem, startServer } from '../main.ts';
import { appointmentProperty } from '../sync/busy-spans.ts';
import { connectAs } from './connect-as.ts';
import { googleOverrides } from './google-overrides.ts';
import type { DemoN8n } from './n8n.ts';
import { startSite } from './site.ts';

const host = '127.0.0.1';
const owner = { email: 'ada@example.com', name: 'Ada Lovelace', timeZone: 'Europe/London' };
const otherOwner = {
  email: 'grace@example.com',
  name: 'Grace Hopper',
  timeZone: 'America/New_York',
};
const oauthClient = { clientId: 'calhook-demo.apps.example', clientSecret: 'calhook-demo-secret' };
const weekdayHours = [{ start: '09:00', end: '17:00' }];
const botId = 'bot-lovelace';

interface DemoOptions {
  /** Server here, sandbox one above, website two above. */
  readonly port: number;
  /** Where the database and the demo's own keys are kept between runs. */
  readonly directory: string;
  /** Forget what earlier runs left. */
  readonly fresh: boolean;
  /** Run a real n8n three above the server, to which the website posts; false: to the server itself. */
  readonly n8n: boolean;
  /** Is told what takes its time. */
  readonly progress: (line: string) => void;
}

/** How long stopping waits for requests under way, in milliseconds; nobody's booking is lost here. */
const stopWithinMs = 1_000;
/** The same, for an n8n that is to end what it started. */
const stopN8nWithinMs = 8_000;

/** What the demo's last line tells. */
export interface DemoAddresses {
  readonly url: string;
  readonly sandboxUrl: string;
  readonly siteUrl: string;
  readonly apiKey: string;
  readonly botId: string;
  /** The editor of n8n, where one runs. */
  readonly n8nUrl?: string;
}

export interface Demo {
  readonly addresses: DemoAddresses;
  /** Who may use the editor of n8n, where one runs. */
  readonly n8nOwner?: DemoN8n['owner'];
  /** Ends everything; what hangs for long is left to the end of the process. */
  stop(): Promise<void>;
}

/** Keys of this demo alone, made at its first run: a server has no default keys. */
async function ownKeys(directory: string): Promise<{ apiKey: string; encryptionKeys: string }> {
  const file = join(directory, 'keys.json');
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = {
    apiKey: `chk_demodemo_${newSecret()}`,
    encryptionKeys: `demo:${randomBytes(32).toString('base64')}`,
  };
  await writeFile(file, JSON.stringify(made, null, 2), { mode: 0o600 });
  return made;
}

async function orListenProblem<T>(starting: Promise<T>, port: number): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    throw listenProblem(error, host, port) ?? error;
  }
}

/**
 * Starts all that the demo shows: the stand-in for Google, the server (configured through the same
 * variables as in production, the endpoint overrides among them), a client's website and, if wanted,
 * an n8n.
 *
 * @throws {ListenError} when one of the ports is taken; what was started is stopped again
 */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { directory, fresh, port, progress } = options;
  const n8nPort = port + 3;
  const started: (() => Promise<void>)[] = [];
  const endAll = async () => {
    for (const end of started.reverse()) await end();
  };
  const withinMs = options.n8n ? stopN8nWithinMs : stopWithinMs;
  const stop = () => Promise.race([endAll(), delay(withinMs, undefined, { ref: false })]);
  try {
    const sandbox = await orListenProblem(
      startSandbox({ host, port: port + 1, accounts: [owner, otherOwner] }),
      port + 1,
    );
    started.push(() => sandbox.close());
    // Only with that port in hand: a demo that runs already keeps what it has.
    if (fresh) await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const { apiKey, encryptionKeys } = await ownKeys(directory);
    const url = `http://${host}:${port}`;
    sandbox.addClient({
      ...oauthClient,
      appName: 'Calhook',
      redirectUris: [`${url}/oauth/google/callback`],
    });
    const config = readConfig({
      CALHOOK_PUBLIC_URL: url,
      CALHOOK_HOST: host,
      CALHOOK_PORT: String(port),
      CALHOOK_DATABASE_URL: `sqlite:${join(directory, 'calhook.db')}`,
      CALHOOK_ENCRYPTION_KEYS: encryptionKeys,
      CALHOOK_BOOTSTRAP_API_KEY: apiKey,
      CALHOOK_GOOGLE_CLIENT_ID: oauthClient.clientId,
      CALHOOK_GOOGLE_CLIENT_SECRET: oauthClient.clientSecret,
      ...googleOverrides(sandbox.endpoints),
      CALHOOK_LOG_LEVEL: process.env.CALHOOK_LOG_LEVEL ?? 'warn',
    });
    const server = await startServer(config);
    started.push(() => server.stop());
    const n8n = options.n8n
      ? await orListenProblem(
          import('./n8n.ts').then(({ startDemoN8n }) =>
            startDemoN8n({
              host,
              port: n8nPort,
              directory: join(directory, 'n8n'),
              calhookUrl: url,
              apiKey,
              progress,
            }),
          ),
          n8nPort,
        )
      : null;
    if (n8n) started.push(() => n8n.stop());
    const site = await orListenProblem(
      startSite({
        host,
        port: port + 2,
        page: {
          botId,
          webhookUrl: n8n?.webhookUrl ?? `${url}/api/webhook/appointment`,
          calendarUrl: calendarPage(sandbox.url),
        },
      }),
      port + 2,
    );
    started.push(() => site.close());

    const call = callerOf(url, apiKey);
    await ensureFirstBot(call, site.url);
    await connectBots(call, sandbox);
    return {
      addresses: {
        url,
        sandboxUrl: sandbox.url,
        siteUrl: site.url,
        apiKey,
        botId,
        ...(n8n ? { n8nUrl: n8n.url } : {}),
      },
      ...(n8n ? { n8nOwner: n8n.owner } : {}),
      stop,
    };
  } catch (error) {
    await endAll();
    throw error;
  }
}

type Call = <T>(method: string, path: string, body?: object) => Promise<T>;

function callerOf(url: string, apiKey: string): Call {
  return async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok) throw new DemoCallError(method, path, answer);
    return answer;
  };
}

class DemoCallError extends Error {
  readonly code: unknown;
  constructor(method: string, path: string, problem: { code?: unknown; detail?: unknown }) {
    super(`${method} ${path}: ${String(problem.detail)}`);
    this.code = problem.code;
  }
}

/** The bot of the sample website: there from the first run on, allowed to be booked from the site. */
async function ensureFirstBot(call: Call, siteUrl: string): Promise<void> {
  const settings = {
    name: 'Lovelace Bicycle Workshop',
    timeZone: owner.timeZone,
    durationMinutes: 30,
    weeklyHours: {
      monday: weekdayHours,
      tuesday: weekdayHours,
      wednesday: weekdayHours,
      thursday: weekdayHours,
      friday: weekdayHours,
    },
    allowedOrigins: [siteUrl],
  };
  try {
    await call('POST', '/api/bots', { id: botId, ...settings });
  } catch (error) {
    if (!(error instanceof DemoCallError) || error.code !== 'bot_exists') throw error;
    // A run on other ports has another website.
    await call('PATCH', `/api/bots/${botId}`, { allowedOrigins: [siteUrl] });
  }
}

/** What the owner of the first bot sees of it. */
function calendarPage(sandboxUrl: string): string {
  return `${sandboxUrl}/calendar/${encodeURIComponent(owner.email)}`;
}

/** The day that the website's form proposes; it may lie in the week after this one. */
function nextWorkday(): string {
  const tomorrow = Temporal.Now.plainDateISO(owner.timeZone).add({ days: 1 });
  const monday = 8;
  return (
    tomorrow.dayOfWeek > 5 ? tomorrow.add({ days: monday - tomorrow.dayOfWeek }) : tomorrow
  ).toString();
}

/**
 * Connects the first bot, and again those that earlier runs connected; their events return, too.
 * The stand-in for Google keeps nothing when it stops, but this demo's bots and bookings stay.
 */
async function connectBots(call: Call, sandbox: Sandbox): Promise<void> {
  const { bots } = await call<Static<typeof BotPage>>('GET', '/api/bots?limit=200');
  for (const { id } of bots) {
    const status = await call<CalendarStatus>('GET', `/api/calendar/status/${id}`);
    const account = id === botId ? owner.email : status.account;
    if (!account || (account !== owner.email && account !== otherOwner.email)) continue;
    // Before the calendar is looked at: an event that is missing there was deleted by its owner.
    const path = `/api/calendar/appointments/${id}?limit=200`;
    const { appointments } = await call<Static<typeof AppointmentPage>>('GET', path);
    for (const { id: appointmentId, status, eventId, ...appointment } of appointments) {
      if (eventId === null || status !== 'confirmed') continue;
      const { customerName, email, start, end, timeZone } = appointment;
      sandbox.putEvent(account, {
        id: eventId,
        summary: customerName,
        start: { dateTime: start, timeZone },
        end: { dateTime: end, timeZone },
        attendees: [{ email }],
        extendedProperties: { private: { [appointmentProperty]: appointmentId } },
      });
    }
    const link = await call<Static<typeof ConnectLink>>('POST', `/api/calendar/connect/${id}`);
    const page = await connectAs(sandbox, link.url, { account });
    if (!page.ok) throw new Error(`${id} could not be connected: ${page.status}`);
  }
}

/** The lines for people, and the one for programs. */
export function demoGreeting({ addresses, n8nOwner }: Omit<Demo, 'stop'>): string {
  const { url, sandboxUrl, siteUrl, apiKey, n8nUrl } = addresses;
  const n8n = n8nOwner
    ? `
  5. See the workflow that books           ${n8nUrl}
     (${n8nOwner.email}, ${n8nOwner.password})`
    : '';
  return `
Calhook is running, with a stand-in for Google beside it. No account is needed anywhere.

  1. Book on a client's website            ${siteUrl}
  2. See it in the owner's calendar        ${calendarPage(sandboxUrl)}?week=${nextWorkday()}
  3. See the mail that Google would send   ${sandboxUrl}/mailbox
  4. Read the API, try it                  ${url}/docs${n8n}

Connect another client (the owner is ${otherOwner.name}, say):

  curl -s ${url}/api/bots -H "Authorization: Bearer ${apiKey}" \\
    -H "Content-Type: application/json" -d '{"id":"bot-hopper","name":"Hopper Consulting"}'
  curl -s -X POST ${url}/api/calendar/connect/bot-hopper -H "Authorization: Bearer ${apiKey}"

Ctrl-C stops everything.

ready ${JSON.stringify(addresses)}`;
}
