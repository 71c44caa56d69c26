-- What the migrations make; rewritten by `npm run schema:dump`, compared by a test.

create table activity (
  id text not null,
  client_id text not null,
  at bigint not null,
  kind text not null,
  subject_id text,
  detail text not null,
  constraint activity_key PRIMARY KEY (client_id, id)
);

create table api_keys (
  id text not null,
  secret_hash text not null,
  name text not null,
  scopes text not null,
  bot_ids text,
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  last_used_at bigint,
  constraint api_keys_pkey PRIMARY KEY (id)
);

create table appointments (
  id text not null,
  client_id text not null,
  customer_name text not null,
  customer_email text not null,
  customer_phone text,
  appointment_date text not null,
  appointment_time text not null,
  status text not null default 'confirmed'::text,
  google_event_id text,
  created_at bigint not null,
  time_zone text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  notes text,
  answers text not null,
  calendar text not null,
  event_link text,
  meet_link text,
  failure text,
  updated_at bigint not null,
  language text not null default 'en'::text,
  revision integer not null default 1,
  written_revision integer not null default 0,
  unverified integer not null default 0,
  etag text,
  conflict_since bigint,
  cancelled_by text,
  constraint appointments_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint appointments_pkey PRIMARY KEY (id),
  constraint appointments_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'confirmed'::text, 'cancelled'::text, 'failed'::text])))
);
CREATE INDEX appointments_in_conflict ON public.appointments USING btree (calendar) WHERE (conflict_since IS NOT NULL);
CREATE UNIQUE INDEX appointments_natural_key ON public.appointments USING btree (starts_at, client_id, customer_email) WHERE (status = ANY (ARRAY['pending'::text, 'confirmed'::text]));
CREATE INDEX appointments_of_bot ON public.appointments USING btree (client_id, id);

create table bots (
  id text not null,
  name text not null,
  time_zone text not null,
  duration_minutes integer not null,
  weekly_hours text,
  allowed_origins text not null,
  created_at bigint not null,
  updated_at bigint not null,
  language text not null default 'en'::text,
  rules text not null default '{}'::text,
  constraint bots_pkey PRIMARY KEY (id)
);

create table busy_spans (
  calendar text not null,
  event_id text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  is_long integer not null,
  series_id text,
  appointment_id text,
  constraint busy_spans_calendar_fkey FOREIGN KEY (calendar) REFERENCES calendars(calendar) ON DELETE CASCADE,
  constraint busy_spans_is_long_check CHECK ((is_long = ANY (ARRAY[0, 1]))),
  constraint busy_spans_key PRIMARY KEY (calendar, event_id),
  constraint busy_spans_span CHECK ((ends_at > starts_at))
);
CREATE INDEX busy_spans_time ON public.busy_spans USING btree (calendar, is_long, starts_at, ends_at, appointment_id);

create table calendars (
  calendar text not null,
  version bigint not null,
  sync_token text,
  time_zone text,
  window_start bigint not null,
  window_end bigint not null,
  checked_at bigint not null,
  full_pulled_at bigint not null,
  due_at bigint,
  failures integer not null default 0,
  failure text,
  constraint calendars_pkey PRIMARY KEY (calendar)
);
CREATE INDEX calendars_due ON public.calendars USING btree (due_at) WHERE (due_at IS NOT NULL);

create table claims (
  id text not null,
  calendar text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  appointment_id text,
  client_id text not null,
  booked_start bigint not null,
  booked_end bigint not null,
  created_at bigint not null,
  expires_at bigint,
  constraint claims_appointment_id_fkey FOREIGN KEY (appointment_id) REFERENCES appointments(id) ON DELETE CASCADE,
  constraint claims_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint claims_key PRIMARY KEY (calendar, starts_at, id),
  constraint claims_kind CHECK (((appointment_id IS NULL) = (expires_at IS NOT NULL))),
  constraint claims_no_overlap EXCLUDE USING gist (calendar WITH =, int8range(starts_at, ends_at) WITH &&),
  constraint claims_span CHECK ((ends_at > starts_at))
);
CREATE INDEX claims_appointment ON public.claims USING btree (appointment_id);
CREATE INDEX claims_holds ON public.claims USING btree (calendar, expires_at) WHERE (expires_at IS NOT NULL);

create table connect_links (
  token_hash text not null,
  client_id text not null,
  cookie_hash text,
  created_at bigint not null,
  expires_at bigint not null,
  google_sub text,
  constraint connect_links_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint connect_links_pkey PRIMARY KEY (token_hash)
);

create table consent_steps (
  token_hash text not null,
  client_id text not null,
  kind text not null,
  cookie_hash text,
  sealed text not null,
  expires_at bigint not null,
  constraint consent_steps_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint consent_steps_kind_check CHECK ((kind = ANY (ARRAY['replace'::text, 'undo'::text]))),
  constraint consent_steps_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX consent_steps_expiry ON public.consent_steps USING btree (expires_at);

create table database_identity (
  id text not null,
  constraint database_identity_pkey PRIMARY KEY (id)
);

create table google_tokens (
  client_id text not null,
  access_token text not null,
  refresh_token text not null,
  expiry_date bigint not null,
  scope text not null,
  created_at bigint not null,
  updated_at bigint not null,
  google_sub text not null,
  account_email text not null,
  calendar_id text not null,
  status text not null,
  status_reason text,
  status_since bigint not null,
  version bigint not null,
  refreshed_at bigint not null default 0,
  refresh_failures integer not null default 0,
  refresh_failure text,
  refresh_not_before bigint,
  lease_owner text,
  lease_until bigint,
  refresh_token_expires_at bigint,
  expiry_announced_at bigint,
  constraint google_tokens_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint google_tokens_pkey PRIMARY KEY (client_id),
  constraint google_tokens_status_check CHECK ((status = ANY (ARRAY['connected'::text, 'needs_reauth'::text, 'missing_scopes'::text])))
);
CREATE INDEX google_tokens_expiring ON public.google_tokens USING btree (refresh_token_expires_at) WHERE (refresh_token_expires_at IS NOT NULL);
CREATE INDEX google_tokens_idle ON public.google_tokens USING btree (refreshed_at) WHERE (status = 'connected'::text);
CREATE INDEX google_tokens_sub ON public.google_tokens USING btree (google_sub);

create table idempotency_keys (
  caller text not null,
  key_hash text not null,
  body_hash text not null,
  appointment_id text not null,
  created_at bigint not null,
  constraint idempotency_keys_appointment_id_fkey FOREIGN KEY (appointment_id) REFERENCES appointments(id) ON DELETE CASCADE,
  constraint idempotency_keys_key PRIMARY KEY (caller, key_hash)
);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX idempotency_keys_appointment ON public.idempotency_keys USING btree (appointment_id);

create table jobs (
  kind text not null,
  key text not null,
  lane text,
  client_id text,
  due_at bigint,
  "position" bigint not null,
  payload text not null,
  attempts integer not null default 0,
  last_error text,
  settled integer not null default 0,
  lease_owner text,
  lease_until bigint,
  leased_lane text,
  constraint jobs_found_again CHECK ((COALESCE(lease_until, due_at, (settled)::bigint) > 0)),
  constraint jobs_key PRIMARY KEY (kind, key)
);
CREATE INDEX jobs_next ON public.jobs USING btree (COALESCE(lease_until, due_at), "position");
CREATE UNIQUE INDEX jobs_running ON public.jobs USING btree (leased_lane) WHERE (lease_owner IS NOT NULL);
CREATE INDEX jobs_tried ON public.jobs USING btree (kind) WHERE (attempts > 0);

create table key_checks (
  key_id text not null,
  envelope text not null,
  created_at bigint not null,
  constraint key_checks_pkey PRIMARY KEY (key_id)
);

create table oauth_states (
  state_hash text not null,
  client_id text not null,
  cookie_hash text not null,
  code_verifier text not null,
  link_hash text not null,
  expires_at bigint not null,
  constraint oauth_states_client_id_fkey FOREIGN KEY (client_id) REFERENCES bots(id) ON DELETE CASCADE,
  constraint oauth_states_pkey PRIMARY KEY (state_hash)
);
