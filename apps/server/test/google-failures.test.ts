import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../../packages/google-sandbox/src/faults.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

interface Outcome {
  readonly status: number;
  readonly code?: string;
  /** `Retry-After` of the answer, in seconds. */
  readonly retryAfter: string | null;
  readonly appointment: 'pending' | 'confirmed' | 'failed';
  readonly connection: 'connected' | 'needs_reauth' | 'missing_scopes';
  readonly inserts: 'once' | 'twice' | 'several';
  readonly refreshes?: number;
  /** Whether the operator is told; default: no. */
  readonly alarm?: boolean;
}

const apiError = (name: string): Fault => ({ kind: 'apiError', name }) as Fault;
/** An error that the sandbox itself never answers with. */
const reasoned = (status: number, reason: string, domain = 'global'): Fault => ({
  kind: 'status',
  status,
  body: { error: { errors: [{ domain, reason, message: '' }], code: status, message: '' } },
});
const tooMany = (retryAfter: string): Fault => ({
  kind: 'status',
  status: 429,
  headers: { 'retry-after': retryAfter },
});

/** Repeated within the call, then left to the job, or to the same call made again. */
const unreachable: Outcome = {
  status: 202,
  retryAfter: null,
  appointment: 'pending',
  connection: 'connected',
  inserts: 'several',
};
const booked: Outcome = {
  status: 201,
  retryAfter: null,
  appointment: 'confirmed',
  connection: 'connected',
  inserts: 'twice',
};
/** Google will say the same again. */
const refused = (status: number, code: string, more: Partial<Outcome> = {}): Outcome => ({
  status,
  code,
  retryAfter: null,
  appointment: 'failed',
  connection: 'connected',
  inserts: 'once',
  ...more,
});

const lasting: readonly [name: string, fault: Fault, outcome: Outcome][] = [
  ['500 backendError', apiError('backendError'), unreachable],
  ['503 in JSON', apiError('unavailable'), unreachable],
  ['502 in HTML', { kind: 'html', status: 502 }, unreachable],
  ['503 in HTML', { kind: 'html', status: 503 }, unreachable],
  ['a reset connection', { kind: 'reset' }, unreachable],
  [
    'no answer within the budget',
    { kind: 'hang', ms: 600_000 },
    { ...unreachable, inserts: 'once' },
  ],
  ['half a JSON answer', { kind: 'status', status: 200, body: '{"id":"abc' }, unreachable],
  ['an empty 200', { kind: 'status', status: 200, body: '' }, unreachable],
  ['408', { kind: 'status', status: 408 }, unreachable],
  ['403 rateLimitExceeded', apiError('rateLimitExceeded403'), unreachable],
  ['403 userRateLimitExceeded', apiError('userRateLimitExceeded403'), unreachable],
  ['403 dailyLimitExceeded', reasoned(403, 'dailyLimitExceeded', 'usageLimits'), unreachable],
  ['409 conflict', reasoned(409, 'conflict'), unreachable],
  ['429', apiError('rateLimitExceeded429'), unreachable],
  ['429 with Retry-After beyond the budget', tooMany('30'), { ...unreachable, inserts: 'once' }],
  [
    '401',
    apiError('authError'),
    refused(424, 'calendar_needs_reauth', {
      connection: 'needs_reauth',
      inserts: 'twice',
      refreshes: 1,
    }),
  ],
  [
    '403 insufficientPermissions',
    apiError('insufficientPermissions'),
    refused(424, 'calendar_missing_scopes', { connection: 'missing_scopes' }),
  ],
  [
    '403 whose details say ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    {
      kind: 'status',
      status: 403,
      body: {
        error: {
          code: 403,
          message: '',
          status: 'PERMISSION_DENIED',
          details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
        },
      },
    },
    refused(424, 'calendar_missing_scopes', { connection: 'missing_scopes' }),
  ],
  ['403 quotaExceeded', apiError('quotaExceeded'), refused(503, 'calendar_usage_limit')],
  ['403 requiredAccessLevel', apiError('requiredAccessLevel'), refused(424, 'calendar_read_only')],
  ['403 forbidden', apiError('forbidden'), refused(424, 'calendar_read_only')],
  [
    '403 forbiddenForNonOrganizer',
    apiError('forbiddenForNonOrganizer'),
    refused(424, 'calendar_read_only'),
  ],
  [
    '403 with a reason that nobody knows',
    reasoned(403, 'somethingNew'),
    refused(502, 'calendar_refused'),
  ],
  ['404', apiError('notFound'), refused(424, 'calendar_not_found')],
  ['400', apiError('badRequest'), refused(502, 'calendar_refused')],
  ['400 invalid', apiError('invalid'), refused(502, 'calendar_refused')],
  ['400 timeRangeEmpty', apiError('timeRangeEmpty'), refused(502, 'calendar_refused')],
  ['400 required', apiError('required'), refused(502, 'calendar_refused')],
  ['400 parseError', apiError('parseError'), refused(502, 'calendar_refused')],
  ['410', apiError('deleted'), refused(502, 'calendar_refused')],
  ['412', apiError('conditionNotMet'), refused(502, 'calendar_refused')],
  [
    '403 accessNotConfigured',
    apiError('accessNotConfigured'),
    // Not the visitor's to mend: it is safe, and comes into Google when the operator has mended it.
    { ...unreachable, inserts: 'once', alarm: true },
  ],
];

/** One failure, then Google is well again. */
const passing: readonly [name: string, fault: Fault, outcome: Outcome][] = [
  ['500 backendError', apiError('backendError'), booked],
  ['502 in HTML', { kind: 'html', status: 502 }, booked],
  ['a reset connection', { kind: 'reset' }, booked],
  ['half a JSON answer after the insert', { kind: 'truncated' }, booked],
  ['a lost answer after the insert', { kind: 'commitThenDrop' }, booked],
  ['429', apiError('rateLimitExceeded429'), booked],
  ['401', apiError('authError'), { ...booked, refreshes: 1 }],
];

describeOnEachDatabase('when Google answers an insert with', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({
      dialect,
      // Spent whole by each that lasts; longer than a busy machine keeps a process waiting.
      retry: { budgetMs: 1_000, firstPauseMs: 5, maxPauseMs: 20 },
    });
  });
  beforeEach(() => server.sandbox.faults.clear());
  afterAll(() => server.close());

  const run = async (fault: Fault, times: number, outcome: Outcome) => {
    const botId = await server.connectedBot();
    server.sandbox.requests.clear();
    server.log.length = 0;
    server.sandbox.faults.add({ route: 'events.insert', times, fault });
    const answer = await book(server, botId, bookingOf());
    expect(answer.status, answer.text).toBe(outcome.status);
    expect(answer.body.code).toBe(outcome.code);
    expect(answer.headers.get('retry-after')).toBe(outcome.retryAfter);
    expect(answer.text).not.toMatch(/\{\w+\}/);
    const [appointment] = await runSql(
      server.database,
      `select status, google_event_id,
         (select count(*) from claims where appointment_id = appointments.id) as claims
       from appointments where client_id = '${botId}'`,
    );
    expect(appointment?.status).toBe(outcome.appointment);
    expect(Number(appointment?.claims)).toBe(outcome.appointment === 'failed' ? 0 : 1);
    const { body } = await server.call('GET', `/api/calendar/status/${botId}`);
    expect(body.status).toBe(outcome.connection);
    expect(body.expired).toBe(outcome.connection !== 'connected');
    expect(body.reconnectUrl === null).toBe(outcome.connection === 'connected');
    const alarms = server.log.filter((line) => JSON.parse(line).level >= 50);
    expect(alarms).toHaveLength(outcome.alarm ? 1 : 0);
    const inserts = server.sandbox.requests.of('events.insert').length;
    if (outcome.inserts === 'several') expect(inserts).toBeGreaterThan(2);
    else expect(inserts).toBe(outcome.inserts === 'once' ? 1 : 2);
    expect(server.sandbox.requests.of('token')).toHaveLength(outcome.refreshes ?? 0);
    if (outcome.appointment === 'confirmed') {
      const events = server.sandbox.events('ada@example.com');
      expect(events.filter(({ id }) => id === appointment?.google_event_id)).toHaveLength(1);
    }
  };

  test.each(lasting)('%s, again and again', async (_, fault, outcome) =>
    run(fault, 1_000, outcome),
  );
  test.each(passing)('%s, once', async (_, fault, outcome) => run(fault, 1, outcome));
});
