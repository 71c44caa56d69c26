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
  invalid_idempotency_key: '`Idempotency-Key` is empty, too long, or has control characters.',
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
  hold_not_found: 'A hold is released that ended, became an appointment, or never was.',
  api_key_not_found:
    'A key to be revoked does not exist, was revoked before, or reaches bots that the caller’s key does not.',
  bot_exists: 'A bot is created with an `id` that is taken.',
  slot_unavailable:
    'The time, with the buffers around it, overlaps with another appointment or a hold in the same calendar, or with an event of the owner that counts as busy. `alternatives` has up to three free starts nearby, as slots list them.',
  hold_expired:
    'As slot_unavailable, for a booking whose `holdId` had ended before. A hold that ended does not matter while its time is free. Carries `alternatives`.',
  already_booked_by_customer:
    'An appointment is moved to a start at which the same customer has another one.',
  idempotency_key_reused:
    'The `Idempotency-Key` made a booking before, and the body differs from the one then.',
  appointment_not_active:
    'A cancelled, failed or past appointment is to be moved, or a past one to be cancelled.',
  appointment_changing: 'Two changes of one appointment met; the other one was first.',
  outside_hours:
    'The appointment does not lie within the hours of the bot (`weeklyHours`, `dateOverrides`), in its zone. Carries `alternatives`.',
  off_grid:
    'The start is not a multiple of `slotStepMinutes` after the start of the hours. Carries `alternatives`.',
  min_notice: 'The start is sooner than `minimumNoticeMinutes` from now. Carries `alternatives`.',
  too_far_ahead: 'The start is more than `horizonDays` ahead. Carries `alternatives`.',
  limit_reached:
    'The bot has `maxPerDay` or `maxPerWeek` appointments on that day or in that week, in its zone. Carries `alternatives`.',
  duration_not_offered:
    'The bot lists `durationsMinutes`, and the length asked for is neither one of them nor its usual one.',
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
    'The calendar could not be read: Google did not answer, answered 5xx, or limited the rate, until the time that a look at it may take was over. Nothing is stored, since a time that cannot be checked is not free. Carries `reason` and the header `Retry-After`.',
  google_client_misconfigured:
    'Google rejects the OAuth client, or the Calendar API is not enabled for its project. Nothing is stored. Carries `reason` and the header `Retry-After`.',
  calendar_refused:
    'Google refused the event for another reason. The appointment is marked as failed and its time is free again. `reason` holds Google’s word, or `deleted_by_owner` when the owner deleted the event before its insertion could be recorded.',
  internal_error:
    'A fault in this server. Carries `requestId`; the log has the stack under the same id.',
};
