import type { AppointmentStatus, ConnectionStatus } from '@calhook/contract';
import type { Generated } from 'kysely';

/**
 * The tables, one interface each, as both databases hold them. Instants are epoch milliseconds,
 * JSON is text, truth values are 0 and 1. schema.sqlite.sql and schema.postgres.sql show the same
 * with keys, constraints and indexes.
 */

export interface BotsTable {
  id: string;
  name: string;
  time_zone: string;
  duration_minutes: number;
  /** BCP 47 language of sentences for customers. */
  language: string;
  /** JSON of the contract's WeeklyHours; null: bookable at any hour. */
  weekly_hours: string | null;
  /** JSON object of the further rules; what it lacks has its default. */
  rules: string;
  /** JSON array of web origins whose pages may book without a key. */
  allowed_origins: string;
  created_at: number;
  updated_at: number;
}

/** One row per connected bot; `access_token` and `refresh_token` are envelopes. */
export interface GoogleTokensTable {
  client_id: string;
  access_token: string;
  refresh_token: string;
  /** When the access token ends. */
  expiry_date: number;
  scope: string;
  created_at: number;
  updated_at: number;
  /** Google's stable id of the account. */
  google_sub: string;
  account_email: string;
  calendar_id: string;
  status: Exclude<ConnectionStatus, 'not_connected'>;
  status_reason: string | null;
  status_since: number;
  /** Grows with each change of the grant; guards write-backs. */
  version: number;
  /** When Google last gave tokens for the refresh token, or the refresh token itself. */
  refreshed_at: number;
  /** Refreshes that failed since then. */
  refresh_failures: number;
  /** What the last of them ended with. */
  refresh_failure: string | null;
  /** No refresh is tried before this. */
  refresh_not_before: number | null;
  /** Who refreshes just now, a random id; nobody else may until `lease_until`. */
  lease_owner: string | null;
  lease_until: number | null;
  /** When Google ends the grant by itself (a client in Testing mode); null: not by itself. */
  refresh_token_expires_at: number | null;
  expiry_announced_at: number | null;
}

/** One-time links that an owner opens to connect a calendar. */
export interface ConnectLinksTable {
  token_hash: string;
  client_id: string;
  /** Set by the first browser that uses the link; no other may after it. */
  cookie_hash: string | null;
  created_at: number;
  expires_at: number;
  /** The only Google account that it may connect; null: any. */
  google_sub: string | null;
}

/** Consents under way; consumed by the callback. */
export interface OAuthStatesTable {
  state_hash: string;
  client_id: string;
  cookie_hash: string;
  /** Envelope of the PKCE verifier (RFC 7636). */
  code_verifier: string;
  link_hash: string;
  expires_at: number;
}

/** What waits for an owner's word after a consent; `sealed` is an envelope of JSON. */
export interface ConsentStepsTable {
  token_hash: string;
  client_id: string;
  kind: 'replace' | 'undo';
  /** The browser that it belongs to; null: whoever holds the token. */
  cookie_hash: string | null;
  sealed: string;
  expires_at: number;
}

export interface ApiKeysTable {
  id: string;
  /** SHA-256 of the secret part, hex. */
  secret_hash: string;
  name: string;
  /** JSON array of scopes. */
  scopes: string;
  /** JSON array of bot ids; null: all bots. */
  bot_ids: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

export interface AppointmentsTable {
  id: string;
  client_id: string;
  customer_name: string;
  customer_email: string;
  customer_phone: string | null;
  /** YYYY-MM-DD in `time_zone`. */
  appointment_date: string;
  /** HH:mm in `time_zone`. */
  appointment_time: string;
  status: AppointmentStatus;
  google_event_id: string | null;
  created_at: number;
  time_zone: string;
  starts_at: number;
  ends_at: number;
  notes: string | null;
  /** JSON object of further answers. */
  answers: string;
  /** The calendar booked into: `<google_sub>/<calendar_id>`. */
  calendar: string;
  event_link: string | null;
  meet_link: string | null;
  /** Why Google does not have it, or not as it is here. */
  failure: string | null;
  updated_at: number;
  /** BCP 47 language of the customer. */
  language: string;
  /** Grows with each change that Google is to show. */
  revision: number;
  /** The revision that Google shows; 0 before the event is there. */
  written_revision: number;
  /** 1 while the owner's calendar could not be read for it (bots that accept pending bookings). */
  unverified: number;
  /** Google's ETag of the event as it was last written. */
  etag: string | null;
  /** Since when another event of the owner overlaps it. */
  conflict_since: number | null;
  /** Who ended it. */
  cancelled_by: 'customer' | 'api' | 'owner' | null;
}

/**
 * Spans of calendars that are taken, by an appointment or by a hold; the database itself refuses
 * two that overlap. Buffers are inside the span.
 */
export interface ClaimsTable {
  /** Id of the appointment, or of the hold. */
  id: string;
  calendar: string;
  client_id: string;
  starts_at: number;
  ends_at: number;
  /** The appointment itself, without buffers. */
  booked_start: number;
  booked_end: number;
  /** Null: a hold. */
  appointment_id: string | null;
  created_at: number;
  /** When a hold ends; null: an appointment. */
  expires_at: number | null;
}

/** Bookings by the `Idempotency-Key` that they came with. */
export interface IdempotencyKeysTable {
  /** Id of the API key, or `public`, and the bot. */
  caller: string;
  key_hash: string;
  body_hash: string;
  appointment_id: string;
  created_at: number;
}

/** One row per calendar that the mirror follows. */
export interface CalendarsTable {
  /** `<google_sub>/<calendar_id>`. */
  calendar: string;
  /** Grows with each change of what is mirrored; guards write-backs. */
  version: number;
  /** Where the next pull goes on; null: from the beginning. */
  sync_token: string | null;
  /** IANA zone in which the calendar's all-day events lie. */
  time_zone: string | null;
  /** What was pulled: events that touch `[window_start, window_end)`. */
  window_start: number;
  window_end: number;
  /** When the last pull that was noted here began. */
  checked_at: number;
  /** When the last pull from the beginning began. */
  full_pulled_at: number;
  /** When it is polled next; null: not before somebody asks. */
  due_at: number | null;
  /** Pulls that failed since the last one that did not. */
  failures: number;
  /** What the last of them ended with. */
  failure: string | null;
}

/** When a mirrored calendar is busy, one row per event: no titles, no guests, nothing else of it. */
export interface BusySpansTable {
  calendar: string;
  event_id: string;
  starts_at: number;
  ends_at: number;
  /** Whether it lasts longer than the search for the others looks back. */
  is_long: number;
  /** The series that the event is an occurrence of. */
  series_id: string | null;
  /** The appointment whose event it is, when no claim holds its time. */
  appointment_id: string | null;
}

export interface ActivityTable {
  id: string;
  client_id: string;
  at: number;
  kind: string;
  subject_id: string | null;
  /** JSON object; no secrets, no customer data. */
  detail: string;
}

/** Durable work; a row goes when its work is done. */
export interface JobsTable {
  kind: string;
  /** Which piece of work of this kind. */
  key: string;
  /** Jobs of one lane run one at a time; null: beside all others. */
  lane: string | null;
  client_id: string | null;
  /** When it is to run; null: not again, when the run under way succeeds. */
  due_at: number | null;
  /** Orders jobs that are due at once by when they were asked for. */
  position: number;
  /** JSON object of ids; no secrets, no customer data. */
  payload: string;
  /** Runs begun since it was last asked for. */
  attempts: Generated<number>;
  /** What the last run ended with: names, no content. */
  last_error: string | null;
  /** 1: its work was done by other means while it ran. */
  settled: Generated<number>;
  /** Who runs it just now, a random id; nobody else may until `lease_until`. */
  lease_owner: string | null;
  lease_until: number | null;
  /** The lane while it runs. */
  leased_lane: string | null;
}

export interface KeyChecksTable {
  key_id: string;
  envelope: string;
  created_at: number;
}

/** One row. Empty in a database that had secrets before there were ids. */
interface DatabaseIdentityTable {
  id: string;
}

/** What other processes must forget from their caches (SQLite only; PostgreSQL has NOTIFY). */
interface CacheInvalidationsTable {
  seq: Generated<number>;
  topic: string;
  subject: string;
  at: number;
}

export interface Schema {
  bots: BotsTable;
  google_tokens: GoogleTokensTable;
  consent_steps: ConsentStepsTable;
  connect_links: ConnectLinksTable;
  oauth_states: OAuthStatesTable;
  api_keys: ApiKeysTable;
  appointments: AppointmentsTable;
  claims: ClaimsTable;
  idempotency_keys: IdempotencyKeysTable;
  calendars: CalendarsTable;
  busy_spans: BusySpansTable;
  activity: ActivityTable;
  jobs: JobsTable;
  key_checks: KeyChecksTable;
  database_identity: DatabaseIdentityTable;
  cache_invalidations: CacheInvalidationsTable;
}
