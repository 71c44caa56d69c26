import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { METHODS, type MethodName } from '../../src/calendar/methods.ts';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  BOB,
  CALENDAR_SCOPE,
  calendarClient,
  connect,
  EVENTS_SCOPE,
  halfHour,
  oauthClient,
  reasonOf,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

const SCOPE_PREFIX = 'https://www.googleapis.com/auth/';
let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startTestSandbox();
});
afterEach(() => sandbox.close());

/** A Calendar client with a fixed access token and nothing to refresh it with. */
function withToken(token: string) {
  const client = oauthClient(sandbox);
  client.setCredentials({ access_token: token });
  return calendarClient(sandbox, client);
}

const UNAUTHENTICATED = {
  error: {
    code: 401,
    message: expect.stringContaining('Request had invalid authentication credentials.'),
    status: 'UNAUTHENTICATED',
    errors: [
      {
        domain: 'global',
        reason: 'authError',
        message: 'Invalid Credentials',
        locationType: 'header',
        location: 'Authorization',
      },
    ],
  },
};

describe('D. Authorisation of API calls', () => {
  test('32 no, unknown, expired and revoked tokens are 401', async () => {
    const bare = await fetch(`${sandbox.endpoints.apiUrl}/calendar/v3/calendars/primary/events`);
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toContain('Bearer realm=');
    expect(await bare.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });

    const expired = await connect(sandbox);
    sandbox.clock.advance(3_599_001);
    const revoked = await connect(sandbox, { account: BOB });
    sandbox.revokeGrants(BOB);
    for (const token of ['made-up', expired.tokens.access_token, revoked.tokens.access_token]) {
      const list = withToken(token ?? '').events.list({ calendarId: 'primary' });
      const { status, body, headers } = await refusalOf(list);
      expect(status).toBe(401);
      expect(body).toEqual(UNAUTHENTICATED);
      expect(headers.get('www-authenticate')).toBe(
        'Bearer realm="https://accounts.google.com/", error="invalid_token"',
      );
    }
  });

  test('33 each method accepts its scopes, and refuses every other', async () => {
    const every = [...new Set(Object.values(METHODS).flatMap((row) => row.scopes))];
    const tokens = new Map<string, string>();
    for (const scope of every) {
      const { tokens: granted } = await connect(sandbox, { scope: [SCOPE_PREFIX + scope] });
      tokens.set(scope, granted.access_token ?? '');
    }
    for (const name of Object.keys(METHODS) as MethodName[]) {
      const { verb, path, rpc, scopes } = METHODS[name];
      for (const [scope, token] of tokens) {
        const url =
          sandbox.endpoints.apiUrl + path.replace(/:calendarId/, 'primary').replace(/:\w+/, 'x');
        const response = await fetch(url, {
          method: verb,
          headers: { authorization: `Bearer ${token}` },
        });
        if (scopes.includes(scope)) {
          expect([response.status, name, scope]).not.toEqual([403, name, scope]);
          continue;
        }
        expect([response.status, name, scope]).toEqual([403, name, scope]);
        expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
        expect(await response.json()).toEqual({
          error: {
            code: 403,
            message: 'Request had insufficient authentication scopes.',
            errors: [
              {
                domain: 'global',
                reason: 'insufficientPermissions',
                message: 'Insufficient Permission',
              },
            ],
            status: 'PERMISSION_DENIED',
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
                reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
                domain: 'googleapis.com',
                metadata: { service: 'calendar-json.googleapis.com', method: rpc },
              },
            ],
          },
        });
      }
    }
  });

  test('34 calendar.events does not open freeBusy', async () => {
    const { api } = await connect(sandbox, { scope: [EVENTS_SCOPE] });
    const query = api.freebusy.query({
      requestBody: {
        timeMin: '2026-11-23T00:00:00Z',
        timeMax: '2026-11-24T00:00:00Z',
        items: [{ id: 'primary' }],
      },
    });
    const { status, body } = await refusalOf(query);
    expect(status).toBe(403);
    expect(body).toMatchObject({
      error: { details: [{ metadata: { method: 'calendar.v3.Freebusy.Query' } }] },
    });
  });

  test('35 a calendar of someone else is 404, a read-only one refuses an insert', async () => {
    const { api } = await connect(sandbox);
    const event = halfHour('2027-01-11T09:00:00Z');
    const foreign = await reasonOf(api.events.insert({ calendarId: BOB, requestBody: event }));
    expect(foreign).toEqual({ status: 404, reason: 'notFound', message: 'Not Found' });
    sandbox.addAccount({
      email: 'eve@example.com',
      calendars: [{ id: 'team@group.calendar.google.com', sharedWith: { [ADA]: 'reader' } }],
    });
    const calendarId = 'team@group.calendar.google.com';
    expect((await api.events.list({ calendarId })).data.accessRole).toBe('reader');
    const { status, body } = await refusalOf(api.events.insert({ calendarId, requestBody: event }));
    expect([status, body]).toEqual([
      403,
      {
        error: {
          code: 403,
          message: 'You need to have writer access to this calendar.',
          errors: [
            {
              domain: 'calendar',
              reason: 'requiredAccessLevel',
              message: 'You need to have writer access to this calendar.',
            },
          ],
        },
      },
    ]);
    sandbox.set({ requiredAccessLevelDomain: 'global' });
    const other = await refusalOf(api.events.insert({ calendarId, requestBody: event }));
    expect(other.body).toMatchObject({ error: { errors: [{ domain: 'global' }] } });
    expect(sandbox.events('eve@example.com', calendarId)).toEqual([]);
  });

  test('36 a disabled API is injectable as 403 accessNotConfigured', async () => {
    const { api } = await connect(sandbox, { scope: [CALENDAR_SCOPE] });
    sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'apiError', name: 'accessNotConfigured' },
    });
    const { status, body } = await refusalOf(api.events.list({ calendarId: 'primary' }));
    expect(status).toBe(403);
    expect(body).toMatchObject({
      error: {
        code: 403,
        status: 'PERMISSION_DENIED',
        errors: [{ domain: 'usageLimits', reason: 'accessNotConfigured' }],
        details: [{ reason: 'SERVICE_DISABLED' }],
      },
    });
    expect((await api.events.list({ calendarId: 'primary' })).status).toBe(200);
  });
});
