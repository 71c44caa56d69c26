export { type CalendarEvent, GoogleCalendar } from './calendar.ts';
export { type FailureKind, GoogleError, isOperatorFailure } from './failures.ts';
export {
  calendarScope,
  type GoogleAccount,
  GoogleOAuth,
  oauthTimeoutMs,
  type TokenGrant,
} from './oauth.ts';
export { type RetryPolicy, withRetry } from './retry.ts';
