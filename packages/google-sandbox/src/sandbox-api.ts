import type { EventResource } from './calendar/event-record.ts';
import type { Clock } from './clock.ts';
import type { ConsentChoice } from './consent-driver.ts';
import type { AccessRole, AccountSeed, ClientSeed } from './directory.ts';
import type { FaultRegistry } from './faults.ts';
import type { MailMessage, SendUpdates } from './mail/message.ts';
import type { Channel } from './push/channels.ts';
import type { RequestLog } from './request-log.ts';
import type { Switches } from './switches.ts';
import type { Endpoints } from './world.ts';

export type SandboxOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  accounts?: AccountSeed[];
  clients?: ClientSeed[];
  /** Epoch ms that the clock starts from; default: real time. */
  now?: number;
  switches?: Partial<Switches>;
};

/** A running stand-in for Google OAuth, Calendar and the mail they send. */
export type Sandbox = SandboxControls & {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  endpoints: Endpoints;
  /** Stops listening, cuts open connections, forgets timers. */
  close(): Promise<void>;
};

/** What can be done to a sandbox from its own process, and over its admin API. */
export type SandboxControls = {
  clock: Pick<Clock, 'now' | 'advance' | 'set'>;
  switches: Readonly<Switches>;
  /** @throws TypeError on an unknown switch or value */
  set(switches: Partial<Switches>): void;
  /** @throws TypeError when the e-mail is taken or is none, or a zone is unknown */
  addAccount(seed: AccountSeed): void;
  /** Adds a client, or replaces the one with its id. */
  addClient(seed: ClientSeed): void;
  /**
   * Drives the consent pages over plain HTTP, as a test would.
   * @returns the Location of the redirect back to the application
   * @throws Error with the page's text when Google would show an error page
   */
  consent(authorizationUrl: string, choice: ConsentChoice): Promise<string>;
  /** Stored events, cancelled ones included. @throws TypeError on an unknown account or calendar */
  events(email: string, calendarId?: string): EventResource[];
  /** Makes, changes or (with status cancelled) deletes an event as its owner does in Google's own pages. */
  putEvent(
    email: string,
    event: Record<string, unknown>,
    calendarId?: string,
    sendUpdates?: SendUpdates,
  ): EventResource;
  /** What Google would have mailed, oldest first. */
  mailbox(to?: string): MailMessage[];
  /** Gives someone a role on a calendar, or takes it away; sync tokens of before then die. */
  share(calendarId: string, email: string, role: AccessRole | 'none'): void;
  /** The open push channels. */
  channels(): Channel[];
  /** Resolves when no push message is on its way. */
  pushIdle(): Promise<void>;
  requests: RequestLog;
  /** Every code, access token, refresh token and id_token that was handed out. */
  issuedSecrets(): string[];
  faults: FaultRegistry;
  /** As if the user removed the app's access in the account settings. Returns how many grants died. */
  revokeGrants(email: string, clientId?: string): number;
};
