import { calendar, type calendar_v3 } from '@googleapis/calendar';
import { CodeChallengeMethod, type Credentials, OAuth2Client } from 'google-auth-library';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/index.ts';

export const CLIENT = {
  clientId: '123456-app.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-secret-of-the-app',
  redirectUris: ['http://127.0.0.1:3000/oauth/google/callback'],
};
export const REDIRECT = CLIENT.redirectUris[0] as string;
export const ADA = 'ada@example.com';
export const BOB = 'bob@example.com';
export const EVENTS_SCOPE = 'https://www.googleapis.com/auth/calendar.events';
export const CALENDAR_SCOPE = 'https://www.googleapis.com/auth/calendar';
/** A start for events: a Monday morning. */
export const MONDAY = '2027-01-11T09:00:00+01:00';
/** A week before {@link MONDAY}: nobody is sent mail about what is over. */
export const BEFORE_MONDAY = Date.parse('2027-01-04T08:00:00Z');
const SIGN_IN_AND_EVENTS = ['openid', 'email', EVENTS_SCOPE];

/** A sandbox with two accounts and one client, on any free port. */
export function startTestSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return startSandbox({
    accounts: [
      { email: ADA, name: 'Ada Lovelace', timeZone: 'Europe/Berlin' },
      { email: BOB, name: 'Bob Noyce', timeZone: 'America/New_York' },
    ],
    clients: [CLIENT],
    ...options,
  });
}

/** Inserts into the calendar of the account that `api` speaks for; more parameters win. */
export async function insertPrimary(
  api: calendar_v3.Calendar,
  requestBody: Record<string, unknown>,
  more: calendar_v3.Params$Resource$Events$Insert = {},
): Promise<calendar_v3.Schema$Event> {
  return (await api.events.insert({ calendarId: 'primary', requestBody, ...more })).data;
}

/** Google's OAuth client with its endpoints pointed at the sandbox, and nothing else changed. */
export function oauthClient(
  sandbox: Sandbox,
  credentials: { clientId: string; clientSecret: string } = CLIENT,
): OAuth2Client {
  const { authUrl, tokenUrl, revokeUrl, tokenInfoUrl, jwksUrl } = sandbox.endpoints;
  return new OAuth2Client({
    clientId: credentials.clientId,
    clientSecret: credentials.clientSecret,
    redirectUri: REDIRECT,
    endpoints: {
      oauth2AuthBaseUrl: authUrl,
      oauth2TokenUrl: tokenUrl,
      oauth2RevokeUrl: revokeUrl,
      tokenInfoUrl,
      oauth2FederatedSignonJwkCertsUrl: jwksUrl,
      oauth2FederatedSignonPemCertsUrl: jwksUrl,
    },
  });
}

export type ConsentOptions = {
  scope?: string[];
  account?: string;
  prompt?: string | undefined;
  accessType?: 'online' | 'offline' | undefined;
  untick?: string[];
  decision?: 'allow' | 'deny';
  extra?: Record<string, string>;
};

/** The authorization URL that Google's client makes. */
export function authorizationUrl(client: OAuth2Client, options: ConsentOptions = {}): string {
  return client.generateAuthUrl({
    scope: options.scope ?? SIGN_IN_AND_EVENTS,
    ...('prompt' in options
      ? options.prompt === undefined
        ? {}
        : { prompt: options.prompt }
      : { prompt: 'consent' }),
    ...('accessType' in options
      ? options.accessType === undefined
        ? {}
        : { access_type: options.accessType }
      : { access_type: 'offline' }),
    ...options.extra,
  });
}

/** Consent as a person gives it; returns the query of the redirect back. */
export async function consent(
  sandbox: Sandbox,
  client: OAuth2Client,
  options: ConsentOptions = {},
): Promise<URLSearchParams> {
  const location = await sandbox.consent(authorizationUrl(client, options), {
    account: options.account ?? ADA,
    ...(options.untick ? { untick: options.untick } : {}),
    ...(options.decision ? { decision: options.decision } : {}),
  });
  return new URL(location).searchParams;
}

export type Connection = { client: OAuth2Client; tokens: Credentials; api: calendar_v3.Calendar };

/** A connected account: consent, code exchange, Calendar client; retries off so that tests count requests. */
export async function connect(
  sandbox: Sandbox,
  options: ConsentOptions & { client?: { clientId: string; clientSecret: string } } = {},
): Promise<Connection> {
  const client = oauthClient(sandbox, options.client);
  const { codeVerifier, codeChallenge = '' } = await client.generateCodeVerifierAsync();
  const answer = await consent(sandbox, client, {
    ...options,
    extra: {
      code_challenge: codeChallenge,
      code_challenge_method: CodeChallengeMethod.S256,
      ...options.extra,
    },
  });
  const { tokens } = await client.getToken({ code: answer.get('code') ?? '', codeVerifier });
  client.setCredentials(tokens);
  return { client, tokens, api: calendarClient(sandbox, client) };
}

/** Google's Calendar client with its root URL pointed at the sandbox. */
export function calendarClient(sandbox: Sandbox, auth: OAuth2Client): calendar_v3.Calendar {
  return calendar({
    version: 'v3',
    auth,
    rootUrl: `${sandbox.endpoints.apiUrl}/`,
    retryConfig: { retry: 0 },
  });
}

/** A failed request as Google's client reports it. */
export type Refusal = {
  status: number;
  body: {
    error:
      | string
      | {
          code: number;
          message: string;
          status?: string;
          errors: { reason: string; domain: string; message: string; location?: string }[];
          details?: { reason: string; metadata: Record<string, string> }[];
        };
    error_description?: string;
    error_subtype?: string;
  };
  headers: Headers;
};

/** What a promise was refused with. @throws Error when it was not refused by an HTTP answer */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error('The request was expected to be refused.');
  const { error } = outcome;
  const response = (error as { response?: { status: number; data: unknown; headers: Headers } })
    .response;
  if (response === undefined) throw error;
  return {
    status: response.status,
    body: response.data as Refusal['body'],
    headers: new Headers(response.headers),
  };
}

/** The reason of a Calendar refusal, e.g. `notFound`. */
export async function reasonOf(
  promise: Promise<unknown>,
): Promise<{ status: number; reason: string | undefined; message: string }> {
  const { status, body } = await refusalOf(promise);
  if (typeof body.error === 'string') throw new Error(`Not a Calendar error: ${body.error}`);
  return { status, reason: body.error.errors[0]?.reason, message: body.error.message };
}

/** An event body of half an hour from `start` (RFC 3339 with offset). */
export function halfHour(
  start: string,
  more: Record<string, unknown> = {},
): calendar_v3.Schema$Event {
  return {
    summary: 'Appointment',
    start: { dateTime: start },
    end: { dateTime: new Date(Date.parse(start) + 30 * 60_000).toISOString() },
    ...more,
  };
}
