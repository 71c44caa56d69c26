import fc from 'fast-check';
import { METHODS } from '../src/calendar/methods.ts';
import { ADA, CLIENT, REDIRECT } from './google-client.ts';

/** One request of the fuzz test; authorization `good` stands for a token that works. */
export type Shot = {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
};

const anything = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown> },
  fc.constantFrom<unknown>(
    'primary',
    ADA,
    'series0',
    'series0_20270112T080000Z',
    '2027-01-11T09:00:00Z',
    '2027-02-30T09:00:00Z',
    '9999-12-31T23:59:59-23:59',
    '0001-01-01',
    '2027-01-11',
    'Europe/Berlin',
    'Not/AZone',
    '+01:00',
    '__proto__',
    -1,
    1e308,
    null,
    true,
  ),
);
const dateTime = fc.record(
  { dateTime: anything, date: anything, timeZone: anything },
  { requiredKeys: [] },
);
const ruleText = fc
  .array(
    fc.constantFrom(
      'FREQ=DAILY',
      'FREQ=YEARLY',
      'FREQ=WEEKLY',
      'FREQ=MONTHLY',
      'FREQ=SECONDLY',
      'INTERVAL=0',
      'INTERVAL=9999',
      'COUNT=100000',
      'COUNT=-1',
      'UNTIL=20271301',
      'UNTIL=99991231T235959Z',
      'BYDAY=MO,TU',
      'BYDAY=-53SU',
      'BYMONTHDAY=31',
      'BYMONTH=2',
      'BYSETPOS=-366',
      'BYWEEKNO=53',
      'BYYEARDAY=-366',
      '=',
      '',
    ),
    { maxLength: 6 },
  )
  .map((parts) => `RRULE:${parts.join(';')}`);
const eventBody = fc.record(
  {
    id: anything,
    summary: anything,
    start: fc.oneof(dateTime, anything),
    end: fc.oneof(dateTime, anything),
    status: fc.constantFrom('confirmed', 'tentative', 'cancelled', 'odd'),
    attendees: fc.oneof(
      fc.array(fc.record({ email: anything, responseStatus: anything })),
      anything,
    ),
    recurrence: fc.oneof(fc.array(fc.oneof(ruleText, fc.string()), { maxLength: 3 }), anything),
    reminders: fc.oneof(
      fc.record(
        {
          useDefault: anything,
          overrides: fc.array(fc.record({ method: anything, minutes: anything })),
        },
        { requiredKeys: [] },
      ),
      anything,
    ),
    extendedProperties: fc.oneof(
      fc.record(
        { private: fc.dictionary(fc.string(), anything), shared: anything },
        { requiredKeys: [] },
      ),
      anything,
    ),
    conferenceData: fc.oneof(
      fc.record({ createRequest: fc.record({ requestId: anything }) }),
      anything,
    ),
    eventType: fc.constantFrom('default', 'focusTime', 'birthday', 'fromGmail', 'odd'),
    iCalUID: anything,
    sequence: anything,
    source: anything,
    attachments: anything,
  },
  { requiredKeys: [] },
);
const otherBody = fc.record(
  {
    timeMin: anything,
    timeMax: anything,
    timeZone: anything,
    items: fc.oneof(fc.array(fc.record({ id: anything })), anything),
    id: anything,
    type: fc.constantFrom('web_hook', 'odd'),
    address: anything,
    token: anything,
    expiration: anything,
    resourceId: anything,
  },
  { requiredKeys: [] },
);
const form = fc
  .dictionary(
    fc.constantFrom(
      'grant_type',
      'code',
      'refresh_token',
      'client_id',
      'client_secret',
      'redirect_uri',
      'code_verifier',
      'token',
      'request',
      'account',
      'scope',
      'decision',
      'access_token',
    ),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'authorization_code',
        'refresh_token',
        CLIENT.clientId,
        CLIENT.clientSecret,
        REDIRECT,
        ADA,
        'allow',
        '4/0A',
        `client_id=${CLIENT.clientId}&redirect_uri=${REDIRECT}&response_type=code&scope=openid`,
      ),
    ),
  )
  .map((fields) => new URLSearchParams(fields).toString());
const body: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: eventBody.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: otherBody.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: form },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constant('') },
);

const segment = fc.oneof(
  fc.constantFrom(
    'primary',
    encodeURIComponent(ADA),
    'series0',
    'series0_20270112T080000Z',
    'series0_99999999',
    '%',
    '%ff',
    '..',
    '',
    'x'.repeat(2_000),
  ),
  fc.string().map((text) => encodeURIComponent(text.toWellFormed())),
);
const OTHER_PATHS = [
  '/o/oauth2/v2/auth',
  '/o/oauth2/v2/auth/account',
  '/o/oauth2/v2/auth/consent',
  '/token',
  '/revoke',
  '/v1/userinfo',
  '/tokeninfo',
  '/oauth2/v3/certs',
  '/.well-known/openid-configuration',
  '/',
  '/calendar/:calendarId',
  '/mailbox/:email',
  '/sandbox/events',
  '/sandbox/faults/:id',
  '/sandbox/accounts',
  '/sandbox/requests',
];
const target = fc
  .tuple(
    fc.constantFrom(...Object.values(METHODS).map((row) => row.path), ...OTHER_PATHS),
    fc.array(segment, { minLength: 3, maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'timeMin',
        'timeMax',
        'maxResults',
        'pageToken',
        'syncToken',
        'singleEvents',
        'showDeleted',
        'orderBy',
        'q',
        'timeZone',
        'iCalUID',
        'privateExtendedProperty',
        'updatedMin',
        'maxAttendees',
        'sendUpdates',
        'conferenceDataVersion',
        'destination',
        'fields',
        'eventTypes',
        'client_id',
        'redirect_uri',
        'scope',
        'response_type',
        'prompt',
        'access_type',
        'week',
        'email',
        'calendarId',
        'token',
      ),
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          'true',
          'false',
          'startTime',
          'updated',
          'all',
          '2027-01-11T09:00:00Z',
          '2027-03-11T09:00:00Z',
          '1',
          '2500',
          'items(id',
          'items/id,kind',
          'W10',
          'WyJwIiwxLDEsMV0',
          'a=b',
          'none',
          'code',
          'openid',
          CLIENT.clientId,
          REDIRECT,
          'Europe/Berlin',
          '2027-01-11',
        ),
      ),
      { maxKeys: 5 },
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      fc.constantFrom('/', '//', '/extra', '%00'),
    ),
  )
  .map(([path, segments, query, tail]) => {
    let index = 0;
    const filled = path.replace(/:\w+/g, () => segments[index++] ?? 'x');
    return `${filled}${tail}?${new URLSearchParams(query)}`;
  });
const headers = fc.record(
  {
    authorization: fc.constantFrom(
      'good',
      'good',
      'good',
      'Bearer',
      'Bearer x',
      'Basic Og==',
      'Basic %',
      '',
    ),
    'content-type': fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      '',
    ),
    'if-match': fc.constantFrom('*', '"1"', '', 'W/"x", "y"'),
    'if-none-match': fc.constantFrom('*', '"1"', ''),
    cookie: fc.constantFrom('google_sandbox_session=1', ';;=', 'google_sandbox_session='),
    'x-odd': fc.constantFrom('\u00ff\u00fe', 'x'.repeat(5_000)),
  },
  { requiredKeys: ['authorization'] },
);
/** Requests that go deep: real paths, half-right bodies, odd values in every place. */
export const shot: fc.Arbitrary<Shot> = fc.record({
  method: fc.constantFrom(
    'GET',
    'GET',
    'POST',
    'POST',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'HEAD',
    'OPTIONS',
  ),
  target,
  headers,
  body,
});
