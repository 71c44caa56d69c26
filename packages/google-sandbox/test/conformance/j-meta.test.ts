import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { METHODS } from '../../src/calendar/methods.ts';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  CALENDAR_SCOPE,
  type Connection,
  connect,
  halfHour,
  MONDAY,
  oauthClient,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
let connection: Connection;
beforeEach(async () => {
  sandbox = await startTestSandbox();
  connection = await connect(sandbox, { scope: ['openid', 'email', CALENDAR_SCOPE] });
});
afterEach(() => sandbox.close());

const calendarId = 'primary';

describe('J. Meta', () => {
  test('69 Google’s own clients reach every method with only their endpoints overridden', async () => {
    const { api, client } = connection;
    sandbox.addAccount({
      email: 'team@example.com',
      calendars: [{ id: 'team@group.calendar.google.com', sharedWith: { [ADA]: 'writer' } }],
    });
    sandbox.requests.clear();
    const { data } = await api.events.insert({ calendarId, requestBody: halfHour(MONDAY) });
    const eventId = data.id ?? '';
    await api.events.get({ calendarId, eventId });
    await api.events.patch({ calendarId, eventId, requestBody: { summary: 'Patched' } });
    await api.events.update({ calendarId, eventId, requestBody: halfHour(MONDAY) });
    await api.events.list({ calendarId });
    const series = await api.events.insert({
      calendarId,
      requestBody: {
        start: { dateTime: MONDAY, timeZone: 'Europe/Berlin' },
        end: { dateTime: '2027-01-11T10:00:00+01:00', timeZone: 'Europe/Berlin' },
        recurrence: ['RRULE:FREQ=DAILY;COUNT=2'],
      },
    });
    await api.events.instances({ calendarId, eventId: series.data.id ?? '' });
    const { data: channel } = await api.events.watch({
      calendarId,
      requestBody: { id: 'c-69', type: 'web_hook', address: 'https://127.0.0.1:9/' },
    });
    const { id, resourceId } = channel;
    await api.channels.stop({ requestBody: { id: id ?? '', resourceId: resourceId ?? '' } });
    await api.events.move({ calendarId, eventId, destination: 'team@group.calendar.google.com' });
    await api.events.delete({ calendarId: 'team@group.calendar.google.com', eventId });
    const listed = await api.calendarList.list();
    expect(listed.data.items?.map((entry) => [entry.id, entry.accessRole, entry.primary])).toEqual([
      [ADA, 'owner', true],
      ['team@group.calendar.google.com', 'writer', undefined],
    ]);
    await api.calendarList.get({ calendarId });
    await api.calendars.get({ calendarId });
    await api.settings.list();
    expect((await api.settings.get({ setting: 'timezone' })).data).toMatchObject({
      kind: 'calendar#setting',
      id: 'timezone',
      value: 'Europe/Berlin',
    });
    await api.freebusy.query({
      requestBody: { timeMin: MONDAY, timeMax: '2027-01-12T00:00:00Z', items: [{ id: ADA }] },
    });
    await client.getTokenInfo(connection.tokens.access_token ?? '');
    await client.refreshAccessToken();
    await client.revokeToken(connection.tokens.refresh_token ?? '');

    const calls = sandbox.requests.filter(({ path }) => path.startsWith('/calendar/v3/'));
    expect(new Set(calls.map(({ route }) => route))).toEqual(new Set(Object.keys(METHODS)));
    for (const { route, status, headers } of calls) {
      expect([route, status]).toEqual([route, expect.toBeOneOf([200, 204])]);
      expect(headers['user-agent']).toContain('google-api-nodejs-client');
      expect(headers['x-goog-api-client']).toEqual(expect.any(String));
    }
    expect(sandbox.requests.map(({ route }) => route)).toEqual(
      expect.arrayContaining(['tokeninfo', 'token', 'revoke']),
    );
    expect(sandbox.requests.filter(({ route }) => route === 'unknown')).toEqual([]);
  });

  test('70 one clock drives everything, and the log shows every header', async () => {
    const { api, client, tokens } = connection;
    const start = sandbox.clock.now() + 25 * 3_600_000;
    const { data } = await api.events.insert(
      {
        calendarId,
        sendUpdates: 'all',
        quotaUser: 'bot-17',
        requestBody: halfHour(new Date(start).toISOString(), {
          reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1440 }] },
        }),
      },
      { headers: { 'X-Trace': 'abc' } },
    );
    const logged = sandbox.requests.of('events.insert').at(-1);
    expect(logged).toMatchObject({
      method: 'POST',
      path: '/calendar/v3/calendars/primary/events',
      status: 200,
      query: { sendUpdates: 'all', quotaUser: 'bot-17' },
      headers: { authorization: `Bearer ${tokens.access_token}`, 'x-trace': 'abc' },
      body: { summary: 'Appointment' },
    });
    await api.events.patch(
      { calendarId, eventId: data.id ?? '', requestBody: { summary: 'B' } },
      { headers: { 'If-Match': data.etag ?? '' } },
    );
    expect(sandbox.requests.of('events.patch')[0]?.headers['if-match']).toBe(data.etag);

    // Reminders come when the clock gets there, once.
    expect(sandbox.mailbox(ADA)).toEqual([]);
    sandbox.clock.advance(3_600_000 + 1_000);
    expect(sandbox.mailbox(ADA).map(({ kind, eventId, at }) => [kind, eventId, at])).toEqual([
      ['reminder', data.id, expect.closeTo(start - 86_400_000, -4)],
    ]);
    // The same step ended the access token, and the answer's Date header moved along.
    client.setCredentials({ access_token: tokens.access_token ?? '' });
    const { status, headers } = await refusalOf(api.events.list({ calendarId }));
    expect(status).toBe(401);
    expect(Date.parse(headers.get('date') ?? '')).toBeGreaterThan(Date.now() + 3_500_000);
    const code = await sandbox.consent(
      oauthClient(sandbox).generateAuthUrl({ scope: ['openid'], prompt: 'consent' }),
      { account: ADA },
    );
    sandbox.clock.advance(600_001);
    const late = oauthClient(sandbox).getToken(new URL(code).searchParams.get('code') ?? '');
    expect((await refusalOf(late)).body.error).toBe('invalid_grant');

    // No secret ever stood in a URL.
    const urls = sandbox.requests.map(({ path, query }) => `${path} ${JSON.stringify(query)}`);
    expect(sandbox.issuedSecrets().length).toBeGreaterThan(3);
    for (const secret of sandbox.issuedSecrets()) {
      expect(urls.filter((url) => url.includes(secret))).toEqual([]);
    }
    sandbox.requests.clear();
    expect(sandbox.requests).toHaveLength(0);
  });
});
