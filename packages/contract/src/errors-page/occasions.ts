import type { ErrorCode } from '../errors.ts';

/**
 * When each code is answered, and what its answer carries beside the members that all have. Only
 * docs/errors.md shows this: a caller at run time has the sentence and the remedy.
 */
export const occasions: Readonly<Record<ErrorCode, string>> = {
  invalid_request:
    'A field is missing, has the wrong type or length, or contradicts another one. `errors` lists each fault as `{field, message}`.',
  unknown_field:
    'The body names a field that the route does not have. A name that is close to a known one is suggested. `errors` holds the field.',
  invalid_json: 'The body is sent as JSON and is not JSON.',
  invalid_email: '`email` of a booking is no address that Google or a mail server would take.',
  invalid_date: '`date` is not written as YYYY-MM-DD, or is a day such as 2026-02-30.',
  invalid_time: '`time` is not written as HH:mm, or is a time such as 24:00.',
  invalid_timezone:
    '`timeZone` of a booking or a bot is not an IANA name. Offsets such as +02:00 are none.',
  nonexistent_local_time:
    'The clocks are set forward over this time on this day, for example 2026-03-29 02:30 in Europe/Berlin.',
  ambiguous_local_time:
    'The clocks are set back over this time on this day, for example 2026-10-25 02:30 in Europe/Berlin, and no `offset` says which one is meant.',
  offset_zone_mismatch:
    '`offset` is given, and the zone has another offset at that time; or it is not written like +02:00 or Z.',
  weekday_mismatch:
    '`weekday` is given, and `date` falls on another one. Language models often get this wrong; send `weekday` to catch it.',
  time_in_past: 'The start of a booking is not after the clock of the server.',
  not_an_appointment: '`type` of `POST /api/webhook/appointment` is not `appointment`.',
  body_too_large: 'The body is longer than 64 KiB.',
  unsupported_media_type: 'The body has a content type such as application/xml.',
  missing_api_key:
    'A route that needs a key is called without `Authorization`; or the webhook is, for a bot whose `allowedOrigins` is empty. Carries the header `WWW-Authenticate`.',
  invalid_api_key:
    'The header is not `Bearer chk_<id>_<secret>`, or the key is unknown, revoked or past its `expiresAt`. Carries the header `WWW-Authenticate`.',
  insufficient_scope:
    'The key is valid and lacks the scope of the route; or it asks to make a key that may do more than itself.',
  origin_not_allowed:
    'A page of a website that the bot does not list posts to the webhook without a key.',
  route_not_found: 'No route has this path.',
  method_not_allowed:
    'The path exists, but not for this method. Carries the header `Allow` with those that it has.',
  bot_not_found:
    'There is no bot with this id, or the key is limited to other bots: the two answers are the same, byte for byte. Carries `connected: false` and `expired: false`, so that a workflow that asks for the status can branch on them alone.',
  appointment_not_found: 'The bot has no appointment with this id.',
  api_key_not_found:
    'A key to be revoked does not exist, was revoked before, or reaches bots that the caller’s key does not.',
  bot_exists: 'A bot is created with an `id` that is taken.',
  slot_unavailable:
    'The time overlaps with another appointment in the same calendar that was booked through this server, by this bot or by another one.',
  outside_hours:
    'The bot has `weeklyHours`, and the appointment does not lie within one of their ranges, in the zone of the bot.',
  calendar_not_connected:
    'A booking for a bot that no calendar was ever connected to, or that was disconnected.',
  calendar_needs_reauth:
    'Google no longer accepts the grant: the owner removed the access, an administrator blocks it, the account is gone, or (in Testing) seven days are over.',
  calendar_missing_scopes: 'Google answers that the grant does not cover events.',
  calendar_grant_unreadable:
    'A stored token of the bot does not open: it was changed, was copied from elsewhere, or is under an encryption key that the server does not have. Google is not asked, and other bots are not concerned.',
  calendar_not_found: 'Google answers 404 for the calendar of the connection.',
  calendar_read_only: 'Google answers that the account may not write to the calendar.',
  calendar_usage_limit:
    'Google answers 403 `quotaExceeded`: the account sent too many invitations. The appointment is marked as failed and its time is free again. `reason` holds Google’s word.',
  calendar_unreachable:
    'Google did not answer, answered 5xx, or limited the rate, until the time that a booking may take was over. The appointment is stored as pending and keeps its time. Carries `reason` and the header `Retry-After`; the same call completes the booking.',
  google_client_misconfigured:
    'Google rejects the OAuth client, or the Calendar API is not enabled for its project. The appointment is stored as pending and keeps its time. Carries `reason` and the header `Retry-After`; the same call completes the booking once the operator has mended it.',
  calendar_refused:
    'Google refused the event for another reason. The appointment is marked as failed and its time is free again. `reason` holds Google’s word, or `deleted_by_owner` when the owner deleted the event before its insertion could be recorded.',
  internal_error:
    'A fault in this server. Carries `requestId`; the log has the stack under the same id.',
};
