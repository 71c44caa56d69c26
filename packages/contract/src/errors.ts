/**
 * The error catalogue: every refusal a caller of the HTTP API can see, as data.
 *
 * `sentence` is written so that a chatbot may read it out to a visitor; `{name}` marks a value that
 * the server fills in. `remedy` is for the person who integrates or operates. docs/errors.md is
 * written from this table by `npm run docs:errors`, and a test holds the two together.
 */
export interface CatalogueEntry {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Short, fixed summary of the kind of problem (RFC 9457 `title`). */
  readonly title: string;
  /** The sentence for people (RFC 9457 `detail`), with `{placeholders}`. */
  readonly sentence: string;
  /** What the integrator or operator can do about it. */
  readonly remedy: string;
}

const catalogue = {
  // What the caller sent.
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    sentence: 'Something in the request is not as it should be: {reason}.',
    remedy: 'Compare the request with /openapi.json; `errors` lists each field and its fault.',
  },
  unknown_field: {
    status: 400,
    title: 'Unknown field',
    sentence: 'The field "{field}" is not known here.{suggestion}',
    remedy: 'Correct the name. Further answers of a form belong in `answers`.',
  },
  invalid_json: {
    status: 400,
    title: 'Body is not JSON',
    sentence: 'The request body could not be read as JSON.',
    remedy: 'Send valid JSON with `Content-Type: application/json`.',
  },
  invalid_email: {
    status: 400,
    title: 'Invalid e-mail address',
    sentence: 'This does not look like an e-mail address. Could you check it?',
    remedy: 'Ask the visitor for the address again.',
  },
  invalid_date: {
    status: 400,
    title: 'Invalid date',
    sentence: 'There is no such date as "{date}". Dates are written like 2026-03-31.',
    remedy: 'Send `date` as YYYY-MM-DD, a day that exists in the calendar.',
  },
  invalid_time: {
    status: 400,
    title: 'Invalid time',
    sentence:
      'There is no such time as "{time}". Times are written like 09:30, from 00:00 to 23:59.',
    remedy: 'Send `time` as HH:mm in 24-hour form.',
  },
  invalid_timezone: {
    status: 400,
    title: 'Unknown time zone',
    sentence: '"{timeZone}" is not a time zone that is known here.',
    remedy: 'Send an IANA zone name such as Europe/Berlin or America/New_York.',
  },
  nonexistent_local_time: {
    status: 400,
    title: 'Local time does not exist',
    sentence:
      'On {date} the clocks in {timeZone} skip {time}; that time does not exist. Please choose another one.',
    remedy: 'Offer a time before or after the daylight-saving change.',
  },
  ambiguous_local_time: {
    status: 400,
    title: 'Local time exists twice',
    sentence:
      'On {date} the clocks in {timeZone} are set back and {time} happens twice. Please choose another time.',
    remedy:
      'Offer another time, or send `offset` (for example +02:00) to say which of the two is meant.',
  },
  offset_zone_mismatch: {
    status: 400,
    title: 'Offset contradicts the time zone',
    sentence: 'On {date} at {time} the offset in {timeZone} is not {offset}.',
    remedy: 'Leave `offset` out, or send the one that the zone has at that time.',
  },
  weekday_mismatch: {
    status: 400,
    title: 'Weekday contradicts the date',
    sentence: '{date} is a {actual}, not a {weekday}. Which day is meant?',
    remedy: 'Ask the visitor which of the two is meant, then send `date` alone.',
  },
  time_in_past: {
    status: 400,
    title: 'Time is in the past',
    sentence: '{date} at {time} is already over. Please choose a time in the future.',
    remedy: 'Check the year, and the zone that `date` and `time` are meant in.',
  },
  not_an_appointment: {
    status: 400,
    title: 'Not an appointment',
    sentence: 'This message is not an appointment request.',
    remedy: 'Post `{botId, type: "appointment", formData: {…}}`.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    sentence: 'The request is too large.',
    remedy: 'Keep the body under 64 KiB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    sentence: 'The request has a content type that is not understood here.',
    remedy: 'Send `Content-Type: application/json`.',
  },

  invalid_idempotency_key: {
    status: 400,
    title: 'Idempotency key not valid',
    sentence: 'The idempotency key must have 1 to 255 printable characters.',
    remedy: 'Send `Idempotency-Key` as a UUID or another short text that is unique to the request.',
  },

  // Who the caller is.
  missing_api_key: {
    status: 401,
    title: 'API key missing',
    sentence: 'This request needs an API key.',
    remedy: 'Send `Authorization: Bearer chk_…`.',
  },
  invalid_api_key: {
    status: 401,
    title: 'API key not valid',
    sentence: 'The API key is not valid.',
    remedy: 'Check for a truncated, revoked or expired key; `calhook keys list` shows them.',
  },
  insufficient_scope: {
    status: 403,
    title: 'API key lacks a scope',
    sentence: 'This API key may not do that; it lacks the scope {scope}.',
    remedy: 'Create a key with that scope.',
  },
  origin_not_allowed: {
    status: 403,
    title: 'Website not allowed',
    sentence: 'Appointments cannot be booked from this website.',
    remedy:
      'Add the origin of the page to `allowedOrigins` of the bot. `/mcp` takes no calls from pages of other origins.',
  },

  // What the request is about.
  route_not_found: {
    status: 404,
    title: 'No such address',
    sentence: 'There is nothing at this address.',
    remedy: 'See /docs for the addresses that exist.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    sentence: 'This address does not answer to {method}.',
    remedy: 'The `Allow` header lists the methods that it answers to.',
  },
  bot_not_found: {
    status: 404,
    title: 'Bot not found',
    sentence: 'There is no such bot.',
    remedy: 'Check the botId, and that the API key is not limited to other bots.',
  },
  appointment_not_found: {
    status: 404,
    title: 'Appointment not found',
    sentence: 'There is no such appointment.',
    remedy: 'Check the appointment id and the botId that it was booked with.',
  },
  hold_not_found: {
    status: 404,
    title: 'Hold not found',
    sentence: 'There is no such hold; it may have ended.',
    remedy: 'Nothing is held under this id any more; make another hold if it is still needed.',
  },
  api_key_not_found: {
    status: 404,
    title: 'API key not found',
    sentence: 'There is no such API key.',
    remedy: '`calhook keys list` shows the ids.',
  },
  bot_exists: {
    status: 409,
    title: 'Bot exists already',
    sentence: 'A bot with this id exists already.',
    remedy: 'Choose another id, or leave `id` out to have one made.',
  },

  // Whether it can be booked.
  slot_unavailable: {
    status: 409,
    title: 'Time is taken',
    sentence: 'Sorry, {when} is already taken.{alternatives}',
    remedy: 'Offer one of `alternatives`, or ask for the slots.',
  },
  hold_expired: {
    status: 409,
    title: 'Hold has ended and the time is taken',
    sentence: 'Sorry, {when} was kept for you only for a while, and is taken by now.{alternatives}',
    remedy: 'Offer one of `alternatives`, or ask for the slots.',
  },
  already_booked_by_customer: {
    status: 409,
    title: 'Customer has this time already',
    sentence: 'You already have another appointment at that time: {when}.',
    remedy: 'Leave it as it is, or move one of the two to another time.',
  },
  idempotency_key_reused: {
    status: 409,
    title: 'Idempotency key used for another booking',
    sentence: 'This request carries the mark of another booking. Please send it anew.',
    remedy: 'Use a new `Idempotency-Key` for each booking; repeat one only with the same body.',
  },
  appointment_not_active: {
    status: 409,
    title: 'Appointment cannot be changed',
    sentence: 'This appointment can no longer be changed: it is {status}.',
    remedy: 'Book a new appointment.',
  },
  appointment_changing: {
    status: 409,
    title: 'Appointment was changed at the same moment',
    sentence: 'This appointment was just changed by somebody else. Please look at it again.',
    remedy: 'Read the appointment, then decide anew.',
  },
  outside_hours: {
    status: 422,
    title: 'Outside bookable hours',
    sentence:
      'Sorry, {when} is outside the hours in which appointments can be booked.{alternatives}',
    remedy: 'Offer a time within the hours of the bot; `alternatives` are.',
  },
  off_grid: {
    status: 422,
    title: 'Not a time at which appointments start',
    sentence: 'Sorry, {when} is not a time at which appointments start.{alternatives}',
    remedy: 'Offer starts that GET /api/calendar/slots/{botId} lists; `alternatives` are.',
  },
  min_notice: {
    status: 422,
    title: 'Too short notice',
    sentence: 'Sorry, {when} is too soon to be booked.{alternatives}',
    remedy: 'Offer a later time, or lower `minimumNoticeMinutes` of the bot.',
  },
  too_far_ahead: {
    status: 422,
    title: 'Too far ahead',
    sentence: 'Sorry, {when} is too far ahead to be booked.{alternatives}',
    remedy: 'Offer an earlier time, or raise `horizonDays` of the bot.',
  },
  limit_reached: {
    status: 422,
    title: 'Fully booked',
    sentence: 'Sorry, no more appointments can be booked around {when}.{alternatives}',
    remedy: 'Offer another day or week, or raise `maxPerDay` or `maxPerWeek` of the bot.',
  },
  duration_not_offered: {
    status: 422,
    title: 'Length not offered',
    sentence: 'Appointments of {durationMinutes} minutes are not offered here.',
    remedy: 'Use `durationMinutes` or one of `durationsMinutes` of the bot.',
  },

  // The owner's calendar.
  calendar_not_connected: {
    status: 424,
    title: 'No calendar connected',
    sentence: 'Appointments cannot be booked here yet, because no calendar is connected.',
    remedy:
      'Have the owner connect a Google Calendar: POST /api/calendar/connect/{botId} gives the link.',
  },
  calendar_needs_reauth: {
    status: 424,
    title: 'Calendar must be connected again',
    sentence:
      'Appointments cannot be booked at the moment; the owner has to connect the calendar again.',
    remedy: 'Have the owner connect again: POST /api/calendar/connect/{botId} gives the link.',
  },
  calendar_missing_scopes: {
    status: 424,
    title: 'Calendar access was not granted',
    sentence:
      'Appointments cannot be booked at the moment; access to the calendar was not granted.',
    remedy: 'Have the owner connect again and leave the calendar box ticked.',
  },
  calendar_grant_unreadable: {
    status: 424,
    title: 'Stored access to the calendar cannot be read',
    sentence:
      'Appointments cannot be booked at the moment; the stored access to the calendar cannot be read.',
    remedy:
      'The log of the server names the row and why. Put a missing encryption key back, or have the owner connect again.',
  },
  calendar_not_found: {
    status: 424,
    title: 'Calendar not found',
    sentence: 'Appointments cannot be booked at the moment; the calendar no longer exists.',
    remedy: 'Have the owner open Google Calendar once with that account, then connect again.',
  },
  calendar_read_only: {
    status: 424,
    title: 'Calendar is read-only',
    sentence: 'Appointments cannot be booked at the moment; the calendar cannot be written to.',
    remedy: 'Have the owner connect an account whose own calendar may be changed.',
  },
  calendar_usage_limit: {
    status: 503,
    title: "The owner's calendar reached a Google limit",
    sentence: 'The calendar cannot take more invitations right now. Please try again later.',
    remedy:
      'Google limits invitations per account; the limit lifts by itself within hours or days.',
  },
  calendar_unreachable: {
    status: 503,
    title: 'Google Calendar did not answer',
    sentence: 'The calendar could not be reached just now. Please try again in a moment.',
    remedy:
      'Repeat the same call after `Retry-After` seconds; it books once, however often it is sent.',
  },
  google_client_misconfigured: {
    status: 503,
    title: 'Google rejected this server',
    sentence: 'Appointments cannot be booked at the moment; this service is not set up correctly.',
    remedy:
      'The operator has to check the Google OAuth client id and secret and that the Calendar API is enabled.',
  },
  calendar_refused: {
    status: 502,
    title: 'Google refused the event',
    sentence: 'The calendar did not accept this appointment.',
    remedy: '`reason` is Google’s own word for it; the log of the server has the rest.',
  },

  internal_error: {
    status: 500,
    title: 'Internal error',
    sentence: 'Something went wrong on our side. Please try again.',
    remedy: 'Look for `requestId` in the log of the server.',
  },
} as const satisfies Record<string, CatalogueEntry>;

/** Machine-readable code of a refusal; stable across versions. */
export type ErrorCode = keyof typeof catalogue;

/** The catalogue under its public, widened type. */
export const errorCatalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = catalogue;

/** Every code, in catalogue order. */
export const errorCodes = Object.keys(catalogue) as ErrorCode[];

/** Fills `{placeholders}` of a catalogue sentence; a name without a value becomes empty. */
export function fillSentence(
  sentence: string,
  values: Readonly<Record<string, string | number>>,
): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
