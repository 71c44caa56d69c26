import {
  ApiKeyList,
  Appointment,
  AppointmentPage,
  Bot,
  BotPage,
  CalendarStatus,
  ConnectLink,
  CreatedApiKey,
  Disconnected,
  EventCreated,
  errorCatalogue,
  Problem,
} from '@calhook/contract';
import type { TSchema } from 'typebox';
import { Errors } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { book, bookingOf } from './support/bookings.ts';
import { createTestDatabase, describeOnEachDatabase } from './support/databases.ts';
import { type Answer, openTestApp, type TestApp } from './support/test-app.ts';

function expectShape(schema: TSchema, answer: Answer): void {
  expect(Errors(schema, answer.body), answer.text).toEqual([]);
}

describeOnEachDatabase('answers', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botId = await server.connectedBot();
  });
  afterAll(() => server.close());

  test('are of the shapes that the contract declares', async () => {
    const { call } = server;
    const hours = { monday: [{ start: '09:00', end: '24:00' }] };
    const created = await call('POST', '/api/bots', {
      name: 'Shapes',
      weeklyHours: hours,
      allowedOrigins: ['https://www.example.com'],
    });
    expect(created.status).toBe(201);
    const bot = `/api/bots/${created.body.id}`;
    const booked = await book(server, botId, bookingOf({ notes: 'n', answers: { a: 'b' } }));
    const again = bookingOf();
    await book(server, botId, again);
    const appointments = `/api/calendar/appointments/${botId}`;
    const shapes: [TSchema, Answer][] = [
      [Bot, created],
      [Bot, await call('GET', bot)],
      [Bot, await call('PATCH', bot, { weeklyHours: null, durationMinutes: 45 })],
      [BotPage, await call('GET', '/api/bots')],
      [
        CreatedApiKey,
        await call('POST', '/api/keys', { name: 'k', botIds: [botId], expiresAt: 9e15 - 9e14 }),
      ],
      [ApiKeyList, await call('GET', '/api/keys')],
      [EventCreated, booked],
      [EventCreated, await book(server, botId, again)],
      [AppointmentPage, await call('GET', appointments)],
      [Appointment, await call('GET', `${appointments}/${booked.body.appointmentId}`)],
      [CalendarStatus, await call('GET', `/api/calendar/status/${botId}`)],
      [CalendarStatus, await call('GET', `/api/calendar/status/${created.body.id}`)],
      [ConnectLink, await call('POST', `/api/calendar/connect/${botId}`)],
      [Disconnected, await call('POST', `/api/calendar/disconnect/${created.body.id}`)],
      [Problem, await call('GET', '/api/bots', undefined, null)],
      [Problem, await call('POST', '/api/bots', { name: 7 })],
      [Problem, await call('GET', '/nowhere')],
    ];
    for (const [schema, answer] of shapes) expectShape(schema, answer);
    const json = shapes.filter(([schema]) => schema !== Problem).map(([, answer]) => answer);
    for (const answer of json) {
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
    expect(await call('DELETE', bot)).toMatchObject({ status: 204, text: '' });
    expect(await call('GET', bot)).toMatchObject({ status: 404, body: { code: 'bot_not_found' } });
  });

  test('refuse by the catalogue: status, title and type belong to the code', async () => {
    const { call } = server;
    const refusals = [
      await call('GET', '/api/bots', undefined, null),
      await call('GET', '/api/bots/bot-nowhere'),
      await call('POST', '/api/bots', '{'),
      await call('POST', '/api/bots', { id: botId, name: 'Twice' }),
      await call('PUT', '/api/bots'),
      await call('GET', `/api/calendar/appointments/${botId}/apt-nothing`),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([401, 404, 400, 409, 405, 404]);
    for (const { body, status, headers } of refusals) {
      const entry = errorCatalogue[body.code as keyof typeof errorCatalogue];
      expect(body).toMatchObject({
        success: false,
        status: entry.status,
        title: entry.title,
        type: `/docs/errors#${body.code}`,
      });
      expect(status).toBe(entry.status);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    }
  });

  test('bots are created, changed, and told apart', async () => {
    const { call } = server;
    const made = await call('POST', '/api/bots', { name: 'Defaults' });
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^bot-[a-z0-9]{26}$/),
      timeZone: 'UTC',
      durationMinutes: 30,
      language: 'en',
      weeklyHours: Object.fromEntries(
        ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [
          day,
          [{ start: '09:00', end: '17:00' }],
        ]),
      ),
      dateOverrides: [],
      durationsMinutes: null,
      slotStepMinutes: 15,
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      minimumNoticeMinutes: 60,
      horizonDays: 365,
      maxPerDay: null,
      maxPerWeek: null,
      acceptPending: false,
      busyCalendars: [],
      allowedOrigins: [],
    });
    const path = `/api/bots/${made.body.id}`;
    const changed = await call('PATCH', path, { timeZone: 'asia/tokyo' });
    expect(changed.body).toMatchObject({
      ...made.body,
      timeZone: 'Asia/Tokyo',
      updatedAt: expect.any(Number),
    });
    expect((await call('GET', path)).body).toEqual(changed.body);
  });

  test.each([
    [{ id: 'ada', name: 'x' }, 'invalid_request'],
    [{ id: 'bot-Ada', name: 'x' }, 'invalid_request'],
    [{ id: 'bot-', name: 'x' }, 'invalid_request'],
    [{ id: `bot-${'a'.repeat(61)}`, name: 'x' }, 'invalid_request'],
    [{ name: '' }, 'invalid_request'],
    [{}, 'invalid_request'],
    [{ name: 'x', timezone: 'UTC' }, 'unknown_field'],
    [{ name: 'x', timeZone: 'Mars/Olympus' }, 'invalid_timezone'],
    [{ name: 'x', durationMinutes: 1441 }, 'invalid_request'],
    [{ name: 'x', allowedOrigins: ['https://example.com/page'] }, 'invalid_request'],
    [{ name: 'x', allowedOrigins: ['*'] }, 'invalid_request'],
    [{ name: 'x', allowedOrigins: ['null'] }, 'invalid_request'],
    [{ name: 'x', allowedOrigins: ['ftp://example.com'] }, 'invalid_request'],
    [{ name: 'x', language: 'so-called English' }, 'invalid_request'],
    [{ name: 'x', dateOverrides: [{ date: '2026-02-30', ranges: [] }] }, 'invalid_date'],
    [
      {
        name: 'x',
        dateOverrides: [
          { date: '2026-12-24', ranges: [] },
          { date: '2026-12-24', ranges: [] },
        ],
      },
      'invalid_request',
    ],
    [
      {
        name: 'x',
        dateOverrides: [{ date: '2026-12-24', ranges: [{ start: '12:00', end: '09:00' }] }],
      },
      'invalid_request',
    ],
    [{ name: 'x', slotStepMinutes: 0 }, 'invalid_request'],
    [{ name: 'x', bufferBeforeMinutes: -5 }, 'invalid_request'],
    [{ name: 'x', maxPerDay: 5, maxPerWeek: 4 }, 'invalid_request'],
    [{ name: 'x', durationsMinutes: [] }, 'invalid_request'],
    [{ name: 'x', weeklyHours: { montag: [] } }, 'unknown_field'],
    [{ name: 'x', weeklyHours: { monday: [{ start: '12:00', end: '09:00' }] } }, 'invalid_request'],
    [{ name: 'x', weeklyHours: { monday: [{ start: '9:00', end: '12:00' }] } }, 'invalid_request'],
    [
      {
        name: 'x',
        weeklyHours: {
          monday: [
            { start: '09:00', end: '12:00' },
            { start: '11:00', end: '13:00' },
          ],
        },
      },
      'invalid_request',
    ],
  ])('no bot is made of %j', async (body, code) => {
    const before = (await server.call('GET', '/api/bots?limit=200')).text;
    expect(await server.call('POST', '/api/bots', body)).toMatchObject({
      status: 400,
      body: { code },
    });
    expect((await server.call('GET', '/api/bots?limit=200')).text).toBe(before);
  });
});

describeOnEachDatabase('pages', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  afterAll(() => server.close());

  /** Ids on each page, from the first to the last. */
  const turn = async (path: string, list: string, key?: string): Promise<string[][]> => {
    const pages: string[][] = [];
    let cursor: unknown = '';
    do {
      const answer = await server.call(
        'GET',
        path + (cursor ? `&cursor=${cursor}` : ''),
        undefined,
        key,
      );
      expect(answer.status, answer.text).toBe(200);
      pages.push((answer.body[list] as { id: string }[]).map(({ id }) => id));
      cursor = answer.body.nextCursor;
    } while (typeof cursor === 'string' && pages.length < 20);
    expect(cursor).toBeNull();
    return pages;
  };

  test('of bots hold each one once, in the order of ids', async () => {
    const ids = Array.from({ length: 7 }, (_, i) => `bot-page-${i}`);
    await Promise.all(ids.map((id) => server.call('POST', '/api/bots', { id, name: id })));
    const pages = await turn('/api/bots?limit=3', 'bots');
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    expect(await turn('/api/bots?limit=7', 'bots')).toEqual([ids]);
    expect(await turn('/api/bots?limit=200', 'bots')).toEqual([ids]);
    const mine = [ids[1], ids[4], ids[6]];
    const made = await server.call('POST', '/api/keys', { name: 'Some', botIds: mine });
    const some = await turn('/api/bots?limit=2', 'bots', String(made.body.secret));
    expect(some).toEqual([mine.slice(0, 2), mine.slice(2)]);
  });

  test('of appointments hold each one once, newest first, of that bot alone', async () => {
    const botId = await server.connectedBot('ada@example.com');
    const other = await server.connectedBot('grace@example.com');
    const made: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      made.unshift((await book(server, botId, bookingOf())).body.appointmentId);
      await book(server, other, bookingOf());
      server.sandbox.clock.advance(1_000);
    }
    const pages = await turn(`/api/calendar/appointments/${botId}?limit=2`, 'appointments');
    expect(pages).toEqual([made.slice(0, 2), made.slice(2, 4), made.slice(4)]);
  });

  test.each(['limit=0', 'limit=201', 'limit=x', 'limit=', 'cursor=a%20b', 'page=2'])(
    'are refused for ?%s',
    async (query) => {
      const answer = await server.call('GET', `/api/bots?${query}`);
      expect(answer).toMatchObject({ status: 400, body: { success: false } });
    },
  );
});

describe('operation', () => {
  test('/healthz and /readyz answer without a key', async () => {
    const server = await openTestApp({ dialect: 'sqlite' });
    expect(await server.call('GET', '/healthz', undefined, null)).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect(await server.call('GET', '/readyz', undefined, null)).toMatchObject({
      status: 200,
      body: { status: 'ready', database: 'ok' },
    });
    await server.close();
  });

  test('/readyz says when the database is gone; /healthz goes on', async () => {
    const database = await createTestDatabase('postgres');
    const server = await openTestApp({ dialect: 'postgres', database });
    expect((await server.call('GET', '/readyz', undefined, null)).status).toBe(200);
    await database.drop();
    expect(await server.call('GET', '/readyz', undefined, null)).toMatchObject({
      status: 503,
      body: { status: 'unavailable' },
    });
    expect((await server.call('GET', '/healthz', undefined, null)).status).toBe(200);
    const answer = await server.call('GET', '/api/bots');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).toMatchObject({ success: false });
    expect(answer.text).not.toMatch(/postgres|test_|select/i);
    await server.close();
  });
});
