export {
  type CalendarEvent,
  type EventsPage,
  type EventsQuery,
  GoogleCalendar,
} from './calendar.ts';
export { type FailureKind, GoogleError, isOperatorFailure } from './failures.ts';
export {
  calendarScope,
  type GoogleAccount,
  GoogleOAuth,
  oauthTimeoutMs,
  type TokenGrant,
} from './oauth.ts';
export { GoogleProbe, type ProbeAnswer } from './probe.ts';
export { type RetryPolicy, withRetry } from './retry.ts';
