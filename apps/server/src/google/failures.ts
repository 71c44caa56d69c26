/**
 * What can go wrong between Calhook and Google, as one table.
 *
 * Sources: facts/google.md §1 (token endpoint) and §2 (Calendar catalogue). OAuth failures are
 * told apart by `error` alone, never by `error_description`, which varies for the same cause.
 */

/** What a failure means for who called. */
export type FailureKind =
  /** Google, or the way there, is in trouble: the same call may succeed later. */
  | 'transient'
  /** The grant is gone: the owner must connect again. */
  | 'reauth'
  /** The grant lacks the calendar scope: the owner must connect again and leave it ticked. */
  | 'scopes'
  /** The access token was not accepted; a refresh may help. */
  | 'unauthorized'
  /** Google rejects this installation (client id, secret, redirect URI, API not enabled). */
  | 'operator'
  /** The account reached a limit of invitations or events; hours or days. */
  | 'usage_limit'
  /** The calendar does not exist, or the account cannot see it. */
  | 'not_found'
  | 'read_only'
  /** An event with this id exists (insert). */
  | 'duplicate'
  /** The event is another version than the change was meant for (patch). */
  | 'changed'
  /** The event is deleted already, or a sync token has expired. */
  | 'gone'
  /** Anything else that Google refused; repeating it is of no use. */
  | 'refused';

/** A call to Google failed. Carries no token, code or customer data, so it may be logged. */
export class GoogleError extends Error {
  override readonly name = 'GoogleError';
  readonly kind: FailureKind;
  /** Which call, such as `events.insert` or `token.refresh`. */
  readonly operation: string;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Google's own word for it, such as `invalid_grant` or `rateLimitExceeded`. */
  readonly reason: string;
  /** From Retry-After, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(
    operation: string,
    failure: {
      kind: FailureKind;
      status: number | null;
      reason: string;
      retryAfterMs?: number | null;
    },
  ) {
    super(`${operation}: ${failure.status ?? 'no answer'} ${failure.reason}`);
    this.operation = operation;
    this.kind = failure.kind;
    this.status = failure.status;
    this.reason = failure.reason;
    this.retryAfterMs = failure.retryAfterMs ?? null;
  }
}

const oauthKinds: Readonly<Record<string, FailureKind>> = {
  invalid_grant: 'reauth',
  admin_policy_enforced: 'reauth',
  org_internal: 'operator',
  invalid_client: 'operator',
  deleted_client: 'operator',
  unauthorized_client: 'operator',
  redirect_uri_mismatch: 'operator',
  unsupported_grant_type: 'operator',
  internal_failure: 'transient',
  server_error: 'transient',
  temporarily_unavailable: 'transient',
};

/** Kind of a token-endpoint answer with this status and OAuth `error` (RFC 6749 §5.2). */
export function oauthFailureKind(status: number, error: string): FailureKind {
  if (status >= 500 || status === 429 || status === 408) return 'transient';
  return oauthKinds[error] ?? 'refused';
}

/** Whether an OAuth `error` says that this installation is what Google rejects. */
export function isOperatorFailure(error: string): boolean {
  return oauthKinds[error] === 'operator';
}

const calendarKinds: Readonly<Record<string, FailureKind>> = {
  '401': 'unauthorized',
  '403 insufficientPermissions': 'scopes',
  '403 ACCESS_TOKEN_SCOPE_INSUFFICIENT': 'scopes',
  '403 accessNotConfigured': 'operator',
  '403 SERVICE_DISABLED': 'operator',
  '403 rateLimitExceeded': 'transient',
  '403 userRateLimitExceeded': 'transient',
  '403 dailyLimitExceeded': 'transient',
  '403 quotaExceeded': 'usage_limit',
  '403 requiredAccessLevel': 'read_only',
  '403 forbiddenForNonOrganizer': 'read_only',
  '403 forbidden': 'read_only',
  '404': 'not_found',
  '409 duplicate': 'duplicate',
  '409 conflict': 'transient',
  '408': 'transient',
  '410': 'gone',
  '412': 'changed',
  '429': 'transient',
};

/** Kind of a Calendar API answer with this status and reason (facts/google.md §2, catalogue). */
export function calendarFailureKind(status: number, reason: string): FailureKind {
  if (status >= 500) return 'transient';
  return calendarKinds[`${status} ${reason}`] ?? calendarKinds[`${status}`] ?? 'refused';
}
