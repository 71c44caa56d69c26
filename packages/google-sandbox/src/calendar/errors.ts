/**
 * Every error a Calendar method can answer with, as data (facts §2 "Catalogue"). Two families:
 * the Calendar backend's envelope has no `status`, the API front end's has `status` and `details`.
 */
type Family = 'backend' | 'front';

type CatalogueRow = {
  http: number;
  family: Family;
  domain: 'global' | 'calendar' | 'usageLimits';
  reason: string;
  message: string;
  locationType?: 'parameter' | 'header';
  location?: string;
  /** google.rpc code, front end only. */
  status?: string;
  /** google.rpc details that always come with it. */
  details?: readonly unknown[];
  /** The sentence of the whole error where it differs from that of its one item. */
  topMessage?: string;
};

const CATALOGUE = {
  required: row(400, 'global', 'required', 'Required'),
  invalid: row(400, 'global', 'invalid', 'Invalid Value'),
  badRequest: row(400, 'global', 'badRequest', 'Bad Request'),
  parseError: row(400, 'global', 'parseError', 'Parse Error'),
  timeRangeEmpty: {
    ...row(400, 'calendar', 'timeRangeEmpty', 'The specified time range is empty.'),
    locationType: 'parameter',
    location: 'timeMax',
  },
  timeRangeTooLong: {
    ...row(400, 'calendar', 'timeRangeTooLong', 'The requested time range is too long.'),
    locationType: 'parameter',
    location: 'timeMax',
  },
  tooManyCalendarsRequested: row(
    400,
    'calendar',
    'tooManyCalendarsRequested',
    'Too many calendars requested.',
  ),
  orderingNotAvailable: {
    ...row(
      400,
      'global',
      'invalid',
      'The requested ordering is not available for the particular query.',
    ),
    locationType: 'parameter',
    location: 'orderBy',
  },
  bothDefaultAndOverrides: row(
    400,
    'calendar',
    'cannotUseDefaultRemindersAndSpecifyOverride',
    'Cannot specify both default reminders and overrides at the same time.',
  ),
  syncTokenWithOtherParameters: row(
    400,
    'calendar',
    'syncTokenWithNonDefaultOrdering',
    'Sync token cannot be used with the other parameters of this request.',
  ),
  invalidSyncToken: {
    ...row(400, 'global', 'invalid', 'Invalid sync token value.'),
    locationType: 'parameter',
    location: 'syncToken',
  },
  pushAddressNotSecure: row(
    400,
    'global',
    'push.webhookUrlNotHttps',
    'WebHook callback must be HTTPS',
  ),
  channelIdNotUnique: row(400, 'global', 'channelIdNotUnique', 'Channel id not unique'),
  authError: {
    ...row(401, 'global', 'authError', 'Invalid Credentials'),
    family: 'front',
    topMessage:
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    locationType: 'header',
    location: 'Authorization',
    status: 'UNAUTHENTICATED',
  },
  loginRequired: {
    ...row(401, 'global', 'required', 'Login Required.'),
    family: 'front',
    locationType: 'header',
    location: 'Authorization',
    status: 'UNAUTHENTICATED',
  },
  insufficientPermissions: {
    ...row(403, 'global', 'insufficientPermissions', 'Insufficient Permission'),
    family: 'front',
    topMessage: 'Request had insufficient authentication scopes.',
    status: 'PERMISSION_DENIED',
  },
  accessNotConfigured: {
    ...row(
      403,
      'usageLimits',
      'accessNotConfigured',
      'Google Calendar API has not been used in this project before or it is disabled.',
    ),
    family: 'front',
    status: 'PERMISSION_DENIED',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'SERVICE_DISABLED',
        domain: 'googleapis.com',
        metadata: { service: 'calendar-json.googleapis.com' },
      },
    ],
  },
  userRateLimitExceeded403: row(
    403,
    'usageLimits',
    'userRateLimitExceeded',
    'User Rate Limit Exceeded',
  ),
  rateLimitExceeded403: row(403, 'usageLimits', 'rateLimitExceeded', 'Rate Limit Exceeded'),
  rateLimitExceeded429: {
    ...row(429, 'usageLimits', 'rateLimitExceeded', 'Rate Limit Exceeded'),
    family: 'front',
    status: 'RESOURCE_EXHAUSTED',
  },
  quotaExceeded: row(403, 'usageLimits', 'quotaExceeded', 'Calendar usage limits exceeded.'),
  forbidden: row(403, 'global', 'forbidden', 'Forbidden'),
  forbiddenForNonOrganizer: row(
    403,
    'calendar',
    'forbiddenForNonOrganizer',
    'Shared properties can only be changed by the organizer of the event.',
  ),
  requiredAccessLevel: row(
    403,
    'calendar',
    'requiredAccessLevel',
    'You need to have writer access to this calendar.',
  ),
  notFound: row(404, 'global', 'notFound', 'Not Found'),
  duplicate: row(409, 'global', 'duplicate', 'The requested identifier already exists.'),
  deleted: row(410, 'global', 'deleted', 'Resource has been deleted'),
  fullSyncRequired: {
    ...row(
      410,
      'calendar',
      'fullSyncRequired',
      'Sync token is no longer valid, a full sync is required.',
    ),
    locationType: 'parameter',
    location: 'syncToken',
  },
  updatedMinTooLongAgo: {
    ...row(
      410,
      'calendar',
      'updatedMinTooLongAgo',
      'The requested minimum modification time lies too far in the past.',
    ),
    locationType: 'parameter',
    location: 'updatedMin',
  },
  conditionNotMet: {
    ...row(412, 'global', 'conditionNotMet', 'Precondition Failed'),
    locationType: 'header',
    location: 'If-Match',
  },
  backendError: row(500, 'global', 'backendError', 'Backend Error'),
  unavailable: {
    ...row(503, 'global', 'backendError', 'The service is currently unavailable.'),
    family: 'front',
    status: 'UNAVAILABLE',
  },
} as const satisfies Record<string, CatalogueRow>;

function row<Domain extends CatalogueRow['domain']>(
  http: number,
  domain: Domain,
  reason: string,
  message: string,
) {
  return { http, family: 'backend' as const, domain, reason, message };
}

export type ApiErrorName = keyof typeof CATALOGUE;

export function isApiErrorName(name: string): name is ApiErrorName {
  return Object.hasOwn(CATALOGUE, name);
}

/** What a single answer may say differently from the catalogue. */
export type ErrorOverrides = Partial<
  Pick<CatalogueRow, 'http' | 'message' | 'location' | 'locationType' | 'domain' | 'reason'>
> & {
  /** google.rpc details, front end only. */
  details?: unknown[];
  /** Extra headers, e.g. WWW-Authenticate. */
  headers?: Record<string, string>;
};

/** A refusal by a Calendar method; the method table turns it into the answer. */
export class ApiError extends Error {
  readonly catalogueName: ApiErrorName;
  readonly overrides: ErrorOverrides;

  constructor(name: ApiErrorName, overrides: ErrorOverrides = {}) {
    super(overrides.message ?? CATALOGUE[name].message);
    this.catalogueName = name;
    this.overrides = overrides;
  }
}

type ErrorBody = {
  error: {
    code: number;
    message: string;
    errors: Record<string, string>[];
    status?: string;
    details?: readonly unknown[];
  };
};

/** The HTTP status and JSON envelope of an error. */
export function errorBody(
  name: ApiErrorName,
  overrides: ErrorOverrides = {},
): { http: number; body: ErrorBody } {
  const entry: CatalogueRow = { ...CATALOGUE[name], ...onlyRowFields(overrides) };
  const item: Record<string, string> = { domain: entry.domain, reason: entry.reason };
  item.message = entry.message;
  if (entry.locationType !== undefined) item.locationType = entry.locationType;
  if (entry.location !== undefined) item.location = entry.location;
  const { http } = entry;
  const message = entry.topMessage ?? entry.message;
  if (entry.family === 'backend') {
    return { http, body: { error: { errors: [item], code: http, message } } };
  }
  const error: ErrorBody['error'] = { code: http, message, errors: [item] };
  if (entry.status !== undefined) error.status = entry.status;
  const details = overrides.details ?? entry.details;
  if (details !== undefined) error.details = details;
  return { http, body: { error } };
}

function onlyRowFields(overrides: ErrorOverrides): Partial<CatalogueRow> {
  const { details: _details, headers: _headers, ...fields } = overrides;
  return fields;
}
