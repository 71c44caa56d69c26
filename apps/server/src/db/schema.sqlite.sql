-- What the migrations make; rewritten by `npm run schema:dump`, compared by a test.

CREATE TABLE "activity" (
  "id" text not null,
  "client_id" text not null,
  "at" integer not null,
  "kind" text not null,
  "subject_id" text,
  "detail" text not null,
  constraint "activity_key" primary key ("client_id", "id")
) strict, without rowid;

CREATE TABLE "api_keys" (
  "id" text not null primary key,
  "secret_hash" text not null,
  "name" text not null,
  "scopes" text not null,
  "bot_ids" text,
  "created_at" integer not null,
  "expires_at" integer,
  "revoked_at" integer,
  "last_used_at" integer
) strict, without rowid;

CREATE TABLE "appointments" (
  "id" text not null primary key,
  "client_id" text not null references "bots" ("id") on delete cascade,
  "customer_name" text not null,
  "customer_email" text not null,
  "customer_phone" text,
  "appointment_date" text not null,
  "appointment_time" text not null,
  "status" text default 'confirmed' not null check (status in ('pending', 'confirmed', 'cancelled', 'failed')),
  "google_event_id" text,
  "created_at" integer not null,
  "time_zone" text not null,
  "starts_at" integer not null,
  "ends_at" integer not null,
  "notes" text,
  "answers" text not null,
  "calendar" text not null,
  "event_link" text,
  "meet_link" text,
  "failure" text,
  "updated_at" integer not null,
  "language" text default 'en' not null,
  "revision" integer default 1 not null,
  "written_revision" integer default 0 not null,
  "unverified" integer default 0 not null,
  "etag" text,
  "conflict_since" integer,
  "cancelled_by" text
) strict, without rowid;

CREATE INDEX "appointments_in_conflict" on "appointments" ("calendar") where "conflict_since" is not null;

CREATE UNIQUE INDEX "appointments_natural_key" on "appointments" ("starts_at", "client_id", "customer_email") where "status" in ('pending', 'confirmed');

CREATE INDEX "appointments_of_bot" on "appointments" ("client_id", "id");

CREATE TABLE "bots" (
  "id" text not null primary key,
  "name" text not null,
  "time_zone" text not null,
  "duration_minutes" integer not null,
  "weekly_hours" text,
  "allowed_origins" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  "language" text default 'en' not null,
  "rules" text default '{}' not null
) strict, without rowid;

CREATE TABLE "busy_spans" (
  "calendar" text not null references "calendars" ("calendar") on delete cascade,
  "event_id" text not null,
  "starts_at" integer not null,
  "ends_at" integer not null,
  "is_long" integer not null check (is_long in (0, 1)),
  "series_id" text,
  "appointment_id" text,
  constraint "busy_spans_key" primary key ("calendar", "event_id"),
  constraint "busy_spans_span" check (ends_at > starts_at)
) strict, without rowid;

CREATE INDEX "busy_spans_time" on "busy_spans" ("calendar", "is_long", "starts_at", "ends_at", "appointment_id");

CREATE TABLE "cache_invalidations" (
  "seq" integer primary key autoincrement,
  "topic" text not null,
  "subject" text not null,
  "at" integer not null
) strict;

CREATE TABLE "calendars" (
  "calendar" text not null primary key,
  "version" integer not null,
  "sync_token" text,
  "time_zone" text,
  "window_start" integer not null,
  "window_end" integer not null,
  "checked_at" integer not null,
  "full_pulled_at" integer not null,
  "due_at" integer,
  "failures" integer default 0 not null,
  "failure" text
) strict, without rowid;

CREATE INDEX "calendars_due" on "calendars" ("due_at") where "due_at" is not null;

CREATE TABLE "claims" (
  id text not null,
  calendar text not null,
  client_id text not null references bots (id) on delete cascade,
  starts_at integer not null,
  ends_at integer not null,
  booked_start integer not null,
  booked_end integer not null,
  appointment_id text references appointments (id) on delete cascade,
  created_at integer not null,
  expires_at integer,
  constraint claims_key primary key (calendar, starts_at, id),
  constraint claims_span check (ends_at > starts_at),
  constraint claims_kind check ((appointment_id is null) = (expires_at is not null))
) strict, without rowid;

CREATE INDEX "claims_appointment" on "claims" ("appointment_id");

CREATE INDEX claims_holds on claims (calendar, expires_at) where expires_at is not null;

CREATE TRIGGER claims_no_overlap_insert before insert on claims when new.starts_at < ( select ends_at from claims where calendar = new.calendar and starts_at < new.ends_at and id <> new.id order by starts_at desc limit 1) begin select raise(abort, 'claims_no_overlap'); end;

CREATE TRIGGER claims_no_overlap_update before update on claims when new.starts_at < ( select ends_at from claims where calendar = new.calendar and starts_at < new.ends_at and id <> new.id order by starts_at desc limit 1) begin select raise(abort, 'claims_no_overlap'); end;

CREATE TABLE "connect_links" (
  "token_hash" text not null primary key,
  "client_id" text not null references "bots" ("id") on delete cascade,
  "cookie_hash" text,
  "created_at" integer not null,
  "expires_at" integer not null,
  "google_sub" text
) strict, without rowid;

CREATE TABLE "consent_steps" (
  "token_hash" text not null primary key,
  "client_id" text not null references "bots" ("id") on delete cascade,
  "kind" text not null check (kind in ('replace', 'undo')),
  "cookie_hash" text,
  "sealed" text not null,
  "expires_at" integer not null
) strict, without rowid;

CREATE INDEX "consent_steps_expiry" on "consent_steps" ("expires_at");

CREATE TABLE "database_identity" (
  "id" text not null primary key
) strict, without rowid;

CREATE TABLE "google_tokens" (
  "client_id" text not null primary key references "bots" ("id") on delete cascade,
  "access_token" text not null,
  "refresh_token" text not null,
  "expiry_date" integer not null,
  "scope" text not null,
  "created_at" integer not null,
  "updated_at" integer not null,
  "google_sub" text not null,
  "account_email" text not null,
  "calendar_id" text not null,
  "status" text not null check (status in ('connected', 'needs_reauth', 'missing_scopes')),
  "status_reason" text,
  "status_since" integer not null,
  "version" integer not null,
  "refreshed_at" integer default 0 not null,
  "refresh_failures" integer default 0 not null,
  "refresh_failure" text,
  "refresh_not_before" integer,
  "lease_owner" text,
  "lease_until" integer,
  "refresh_token_expires_at" integer,
  "expiry_announced_at" integer
) strict;

CREATE INDEX "google_tokens_expiring" on "google_tokens" ("refresh_token_expires_at") where "refresh_token_expires_at" is not null;

CREATE INDEX "google_tokens_idle" on "google_tokens" ("refreshed_at") where "status" = 'connected';

CREATE INDEX "google_tokens_sub" on "google_tokens" ("google_sub");

CREATE TABLE "idempotency_keys" (
  "caller" text not null,
  "key_hash" text not null,
  "body_hash" text not null,
  "appointment_id" text not null references "appointments" ("id") on delete cascade,
  "created_at" integer not null,
  constraint "idempotency_keys_key" primary key ("caller", "key_hash")
) strict, without rowid;

CREATE INDEX "idempotency_keys_age" on "idempotency_keys" ("created_at");

CREATE INDEX "idempotency_keys_appointment" on "idempotency_keys" ("appointment_id");

CREATE TABLE "jobs" (
  "kind" text not null,
  "key" text not null,
  "lane" text,
  "client_id" text,
  "due_at" integer,
  "position" integer not null,
  "payload" text not null,
  "attempts" integer default 0 not null,
  "last_error" text,
  "settled" integer default 0 not null,
  "lease_owner" text,
  "lease_until" integer,
  "leased_lane" text,
  constraint "jobs_key" primary key ("kind", "key"),
  constraint "jobs_found_again" check (coalesce(lease_until, due_at, settled) > 0)
) strict, without rowid;

CREATE INDEX jobs_next on jobs (coalesce(lease_until, due_at), position);

CREATE UNIQUE INDEX "jobs_running" on "jobs" ("leased_lane") where "lease_owner" is not null;

CREATE INDEX "jobs_tried" on "jobs" ("kind") where "attempts" > 0;

CREATE TABLE "key_checks" (
  "key_id" text not null primary key,
  "envelope" text not null,
  "created_at" integer not null
) strict, without rowid;

CREATE TABLE "oauth_states" (
  "state_hash" text not null primary key,
  "client_id" text not null references "bots" ("id") on delete cascade,
  "cookie_hash" text not null,
  "code_verifier" text not null,
  "link_hash" text not null,
  "expires_at" integer not null
) strict, without rowid;
