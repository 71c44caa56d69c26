import type { calendar_v3 } from '@googleapis/calendar';
import type { Pool } from 'undici';
import { type Answer, exchange } from './exchange.ts';
import { calendarFailureKind, GoogleError } from './failures.ts';
import { retryAfterMs } from './retry-after.ts';

export type CalendarEvent = calendar_v3.Schema$Event;

/** What `events.list` says of a calendar beside its events (facts/google.md §1, scopes). */
export interface CalendarFacts {
  /** Id of the calendar; for `primary`, Google answers with the owner's e-mail as its name. */
  readonly summary: string | null;
  /** IANA zone. */
  readonly timeZone: string | null;
}

/** A part of a list of events; the last part has no `nextPageToken`. */
export interface EventsPage {
  readonly items: readonly CalendarEvent[];
  /** IANA zone of the calendar. */
  readonly timeZone: string | null;
  readonly nextPageToken: string | null;
  /** Where the next list goes on; on the last page only. */
  readonly nextSyncToken: string | null;
}

/** Events of a span, in epoch milliseconds, or what changed since a list before. */
export type EventsQuery =
  | { readonly from: number; readonly to: number }
  | { readonly syncToken: string };

/** Longest wait for an answer of Google, in milliseconds; also the cap of one attempt. */
const timeoutMs = 10_000;
const connectTimeoutMs = 5_000;
/** Cap on calls under way at once; more wait their turn. */
const maxConnections = 64;

/** What is read of an event that was written; Google sends, and we parse, no more. */
const writtenFields = 'id,status,etag,htmlLink,hangoutLink';
const readFields = `${writtenFields},start,end`;
/**
 * A list is of times, not of texts: no titles, no names, no addresses. One attendee is asked for,
 * since with more of them Google sends the owner's own entry alone (reference: maxAttendees).
 */
const listParameters = [
  'singleEvents=true',
  'maxResults=2500',
  'maxAttendees=1',
  'fields=kind,timeZone,nextPageToken,nextSyncToken,items(id,status,etag,updated,sequence,start,end,' +
    'transparency,eventType,recurringEventId,attendees(self,responseStatus),extendedProperties/private)',
].join('&');

interface Call {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly accessToken: string;
  readonly body?: unknown;
  /** The version of the event that the change is meant for (RFC 9110 §13.1.1). */
  readonly ifMatch?: string | null;
  /** Cap of this attempt in milliseconds, where less than the general one is left. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The Google Calendar API v3 over undici.
 *
 * The official client costs ten times the CPU per call and neither sets timeouts nor retries an
 * insert (facts/google.md §6); it is the conformance driver of the sandbox's tests instead.
 */
export class GoogleCalendar {
  readonly #origin: string;
  #pool: Promise<Pool> | undefined;
  readonly #basePath: string;

  /** @param apiUrl base that ends before `/calendar/v3` */
  constructor(apiUrl: string) {
    const url = new URL(apiUrl);
    this.#basePath = `${url.pathname.replace(/\/$/, '')}/calendar/v3`;
    this.#origin = url.origin;
  }

  /**
   * Inserts an event under its own `id`; guests are told by Google (`sendUpdates=all`).
   *
   * @throws {GoogleError} kind `duplicate` when the calendar has, or had, an event with that id
   */
  async insertEvent(
    accessToken: string,
    calendarId: string,
    event: CalendarEvent,
    attemptMs?: number,
  ): Promise<CalendarEvent> {
    return this.#call<CalendarEvent>({
      operation: 'events.insert',
      method: 'POST',
      path: `/calendars/${encodeURIComponent(calendarId)}/events?sendUpdates=all&conferenceDataVersion=1&fields=${writtenFields}`,
      accessToken,
      body: event,
      timeoutMs: attemptMs,
    });
  }

  /** Reads one event; a deleted one is answered with `status: "cancelled"`. */
  async getEvent(
    accessToken: string,
    calendarId: string,
    eventId: string,
    attemptMs?: number,
  ): Promise<CalendarEvent> {
    return this.#call<CalendarEvent>({
      operation: 'events.get',
      method: 'GET',
      path: `/calendars/${encodeURIComponent(calendarId)}/events/${encodeURIComponent(eventId)}?fields=${readFields}`,
      accessToken,
      timeoutMs: attemptMs,
    });
  }

  /**
   * Changes an event, if it is still the version with this ETag; guests are told by Google.
   *
   * @throws {GoogleError} kind `changed` when it is another version by now
   */
  async patchEvent(
    accessToken: string,
    calendarId: string,
    change: CalendarEvent & { readonly id: string },
    etag: string | null,
    attemptMs?: number,
  ): Promise<CalendarEvent> {
    const { id, ...body } = change;
    return this.#call<CalendarEvent>({
      operation: 'events.patch',
      method: 'PATCH',
      path: `/calendars/${encodeURIComponent(calendarId)}/events/${encodeURIComponent(id)}?sendUpdates=all&fields=${writtenFields}`,
      accessToken,
      body,
      ifMatch: etag,
      timeoutMs: attemptMs,
    });
  }

  /**
   * Deletes an event; guests are told by Google.
   *
   * @throws {GoogleError} kind `gone` when it is deleted already, `not_found` when it never was
   */
  async deleteEvent(
    accessToken: string,
    calendarId: string,
    eventId: string,
    attemptMs?: number,
  ): Promise<void> {
    await this.#call<undefined>({
      operation: 'events.delete',
      method: 'DELETE',
      path: `/calendars/${encodeURIComponent(calendarId)}/events/${encodeURIComponent(eventId)}?sendUpdates=all`,
      accessToken,
      timeoutMs: attemptMs,
    });
  }

  /**
   * One page of a calendar's events, each occurrence of a series by itself.
   *
   * @param pageToken `nextPageToken` of the page before; null: the first
   * @throws {GoogleError} status 410 when the sync token is too old (400 when it never was one)
   */
  async listEvents(
    accessToken: string,
    calendarId: string,
    query: EventsQuery,
    pageToken: string | null,
    attemptMs?: number,
  ): Promise<EventsPage> {
    const which =
      'syncToken' in query
        ? `syncToken=${encodeURIComponent(query.syncToken)}`
        : `timeMin=${isoSeconds(query.from)}&timeMax=${isoSeconds(query.to)}`;
    const page = pageToken ? `&pageToken=${encodeURIComponent(pageToken)}` : '';
    const list = await this.#call<calendar_v3.Schema$Events>({
      operation: 'events.list',
      method: 'GET',
      path: `/calendars/${encodeURIComponent(calendarId)}/events?${listParameters}&${which}${page}`,
      accessToken,
      timeoutMs: attemptMs,
    });
    // Whatever else answers 200 is no list: it must not pass for a calendar without events.
    if (list?.kind !== 'calendar#events') {
      const reason = 'unexpected_answer';
      throw new GoogleError('events.list', { kind: 'transient', status: 200, reason });
    }
    return {
      items: list.items ?? [],
      timeZone: list.timeZone ?? null,
      nextPageToken: list.nextPageToken ?? null,
      nextSyncToken: list.nextSyncToken ?? null,
    };
  }

  /** Reads what the calendar scope lets one know of a calendar, and so proves that it is readable. */
  async readCalendar(accessToken: string, calendarId: string): Promise<CalendarFacts> {
    const list = await this.#call<calendar_v3.Schema$Events>({
      operation: 'events.list',
      method: 'GET',
      path: `/calendars/${encodeURIComponent(calendarId)}/events?maxResults=1`,
      accessToken,
    });
    return { summary: list.summary ?? null, timeZone: list.timeZone ?? null };
  }

  /** Ends all connections; calls under way are cut. */
  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }

  /** Loaded and opened when the first call needs it: 5 MB that a server at rest need not hold. */
  #open(): Promise<Pool> {
    this.#pool ??= import('undici').then(
      ({ Pool }) =>
        new Pool(this.#origin, {
          connections: maxConnections,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          connect: { timeout: connectTimeoutMs },
        }),
    );
    return this.#pool;
  }

  async #call<T>(call: Call): Promise<T> {
    const { operation } = call;
    let answer: Answer;
    try {
      const pool = await this.#open();
      const headers = ['authorization', `Bearer ${call.accessToken}`, 'accept', 'application/json'];
      if (call.body !== undefined) headers.push('content-type', 'application/json');
      if (call.ifMatch) headers.push('if-match', call.ifMatch);
      const request = {
        method: call.method,
        path: this.#basePath + call.path,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
      };
      const attemptMs = Math.min(timeoutMs, call.timeoutMs ?? timeoutMs);
      answer = await exchange(pool, request, Math.max(1, attemptMs));
    } catch (error) {
      if (!isNetworkFailure(error)) throw error;
      // The original is dropped: it may carry the request, and the request the token.
      throw new GoogleError(operation, { kind: 'transient', status: null, reason: 'unreachable' });
    }
    const { status, text } = answer;
    if (status === 204) return undefined as T;
    const parsed = parseJson(text);
    if (status >= 200 && status < 300) {
      if (parsed === undefined) {
        throw new GoogleError(operation, { kind: 'transient', status, reason: 'truncated_answer' });
      }
      return parsed as T;
    }
    const reason = errorReason(parsed);
    const kind = calendarFailureKind(status, reason);
    const waitMs = retryAfterMs(answer.retryAfter);
    throw new GoogleError(operation, { kind, status, reason, retryAfterMs: waitMs });
  }
}

/** RFC 3339; Google ignores milliseconds (facts/google.md §2, Times). */
function isoSeconds(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** Refused, reset, timed out or cut short, as undici and the system report it. */
function isNetworkFailure(error: unknown): boolean {
  const { name, code = '' } = error as { name?: string; code?: unknown };
  return (
    name === 'TimeoutError' || (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_\w+)$/.test(code))
  );
}

/** Infrastructure answers 502 and 503 in HTML (facts/google.md §2). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface ErrorEnvelope {
  error?: {
    errors?: { reason?: string }[];
    details?: { reason?: string }[];
    status?: string;
  };
}

/** Reads both families of error envelopes (facts/google.md §2). */
function errorReason(body: unknown): string {
  const error = (body as ErrorEnvelope | undefined)?.error;
  const reason =
    error?.errors?.[0]?.reason ??
    error?.details?.find((detail) => detail.reason)?.reason ??
    error?.status;
  // Google's words only: never echo free text, which may quote the request.
  return typeof reason === 'string' && /^[A-Za-z_]{1,64}$/.test(reason) ? reason : 'unknown';
}
