import type { CalendarStore } from './calendar/calendar-store.ts';
import type { Clock } from './clock.ts';
import type { Directory } from './directory.ts';
import type { FaultRegistry } from './faults.ts';
import type { Limits } from './limits.ts';
import type { Outbox } from './mail/outbox.ts';
import type { GrantStore } from './oauth/grants.ts';
import type { SigningKey } from './oauth/id-token.ts';
import type { Channels } from './push/channels.ts';
import type { RequestLog } from './request-log.ts';
import type { Switches } from './switches.ts';

/** Where each of Google's services answers; one override per endpoint (facts §1). */
export type Endpoints = {
  authUrl: string;
  tokenUrl: string;
  revokeUrl: string;
  userinfoUrl: string;
  /** Base that ends before `/calendar/v3`. */
  apiUrl: string;
  jwksUrl: string;
  discoveryUrl: string;
  tokenInfoUrl: string;
};

/** Everything a sandbox holds; handed to each group of routes. */
export type World = {
  clock: Clock;
  switches: Switches;
  directory: Directory;
  grants: GrantStore;
  calendars: CalendarStore;
  outbox: Outbox;
  limits: Limits;
  channels: Channels;
  faults: FaultRegistry;
  requests: RequestLog;
  signingKey: Promise<SigningKey>;
  endpoints: Endpoints;
};

export function endpointsAt(origin: string): Endpoints {
  return {
    authUrl: `${origin}/o/oauth2/v2/auth`,
    tokenUrl: `${origin}/token`,
    revokeUrl: `${origin}/revoke`,
    userinfoUrl: `${origin}/v1/userinfo`,
    apiUrl: origin,
    jwksUrl: `${origin}/oauth2/v3/certs`,
    discoveryUrl: `${origin}/.well-known/openid-configuration`,
    tokenInfoUrl: `${origin}/tokeninfo`,
  };
}
