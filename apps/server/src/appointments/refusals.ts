import type { ErrorCode } from '@calhook/contract';
import { ApiError } from '../api-error.ts';
import { type FailureKind, GoogleError } from '../google/index.ts';

/** What each failure of Google means to who books. */
const codes: Readonly<Record<FailureKind, ErrorCode>> = {
  transient: 'calendar_unreachable',
  reauth: 'calendar_needs_reauth',
  unauthorized: 'calendar_needs_reauth',
  scopes: 'calendar_missing_scopes',
  operator: 'google_client_misconfigured',
  usage_limit: 'calendar_usage_limit',
  not_found: 'calendar_not_found',
  read_only: 'calendar_read_only',
  duplicate: 'calendar_refused',
  changed: 'calendar_refused',
  gone: 'calendar_refused',
  refused: 'calendar_refused',
};

/** Failures after which the same call may succeed. */
const repeatable: ReadonlySet<FailureKind> = new Set(['transient', 'operator']);
/** Failures that last until the owner connects the calendar again. */
const owners: ReadonlySet<FailureKind> = new Set(['reauth', 'unauthorized', 'scopes']);
/** What a caller is asked to wait, unless Google asks for more. */
const retryAfterSeconds = 5;

/** Whether the same call may succeed by itself, sooner or later. */
export function mayPass(error: GoogleError): boolean {
  return repeatable.has(error.kind);
}

/** Whether the owner has to do something first. */
export function needsOwner(error: unknown): boolean {
  if (error instanceof GoogleError) return owners.has(error.kind);
  return error instanceof ApiError && error.status === 424;
}

/** A failure of Google as its caller is told of it. */
export function googleRefusal(error: GoogleError): ApiError {
  const seconds = Math.max(retryAfterSeconds, Math.ceil((error.retryAfterMs ?? 0) / 1_000));
  return new ApiError(codes[error.kind], {
    members: { reason: error.reason },
    headers: mayPass(error) ? { 'retry-after': String(seconds) } : {},
  });
}
