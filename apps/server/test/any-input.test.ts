import { type AgentToolName, agentToolNames, agentTools } from '@calhook/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { bootstrapKey, openTestApp, type TestApp, unlimited } from './support/test-app.ts';

/** How many bodies are tried on each route; a long run tries more. */
const bodiesPerRoute = Number(process.env.CALHOOK_TEST_BODIES ?? 150);

/** Texts that break programs more often than others. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\u0000', 'a\u0000b', '\ud800', '\n', '2027-06-01', '10:00', 'Europe/Berlin'),
  fc.constantFrom('bot-x', 'appointment', 'status:read', 'https://x.example', 'a@example.org'),
);
const number = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constantFrom(1e300, 2 ** 63, -1));
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const booking = ['customerName', 'email', 'date', 'time', 'timeZone', 'offset', 'weekday'];
const bodies: Readonly<Record<string, readonly string[]>> = {
  'POST /api/calendar/create-event/BOT': [
    ...booking,
    'phone',
    'notes',
    'answers',
    'durationMinutes',
  ],
  'POST /api/bots': ['id', 'name', 'timeZone', 'durationMinutes', 'weeklyHours', 'allowedOrigins'],
  'PATCH /api/bots/BOT': ['name', 'timeZone', 'durationMinutes', 'weeklyHours', 'allowedOrigins'],
  'POST /api/keys': ['name', 'scopes', 'botIds', 'expiresAt'],
  'POST /api/webhook/appointment': ['botId', 'type', 'formData'],
};

/** Bodies that are a valid one with some fields replaced get further than arbitrary ones. */
const valid: Readonly<Record<string, () => Record<string, unknown>>> = {
  'POST /api/calendar/create-event/BOT': () => bookingOf(),
  'POST /api/bots': () => ({ name: 'A bot' }),
  'PATCH /api/bots/BOT': () => ({}),
  'POST /api/keys': () => ({ name: 'A key' }),
  'POST /api/webhook/appointment': () => ({
    botId: 'bot-x',
    type: 'appointment',
    formData: bookingOf(),
  }),
};

const appointmentId = 'apt-unknown';
const validInputs: Readonly<Record<AgentToolName, () => Record<string, unknown>>> = {
  find_slots: () => ({}),
  hold_slot: freeSlot,
  book: bookingOf,
  reschedule: () => ({ appointmentId, ...freeSlot() }),
  cancel: () => ({ appointmentId }),
  status: () => ({}),
};

describeOnEachDatabase('whatever is sent', (dialect) => {
  let server: TestApp;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    server.sandbox.set(unlimited);
    botId = await server.connectedBot();
  });
  afterAll(() => server.close());

  test.each(Object.entries(bodies))(
    'the body of %s never ends in a 5xx',
    { timeout: 600_000 },
    async (route, fields) => {
      const [method = '', path = ''] = route.replace('BOT', botId).split(' ');
      const changes = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 2 });
      const body = fc.oneof(
        changes.map((change) => ({ ...valid[route]?.(), ...change })),
        value,
      );
      await fc.assert(
        fc.asyncProperty(body, async (sent) => {
          const answer = await server.call(method, path, sent ?? null);
          expect(answer.status, `${JSON.stringify(sent)} → ${answer.text}`).toBeLessThan(500);
        }),
        { numRuns: bodiesPerRoute },
      );
    },
  );

  test.each(agentToolNames)(
    'arguments of the tool %s never end in a failure of the server',
    { timeout: 600_000 },
    async (name) => {
      const fields = Object.keys(
        (agentTools[name].input as { properties?: object }).properties ?? {},
      );
      const changes = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 2 });
      const input = fc.oneof(
        changes.map((change) => ({ botId, ...validInputs[name](), ...change })),
        value,
      );
      await fc.assert(
        fc.asyncProperty(input, async (sent) => {
          const params = { name, arguments: sent };
          const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
          const answer = await server.send('/mcp', {
            method: 'POST',
            headers: {
              authorization: `Bearer ${bootstrapKey}`,
              accept: 'application/json, text/event-stream',
              'content-type': 'application/json',
            },
            body: JSON.stringify(message),
          });
          expect(answer.status, `${JSON.stringify(sent)} → ${answer.text}`).toBe(200);
          expect(answer.text).not.toContain('internal_error');
        }),
        { numRuns: bodiesPerRoute },
      );
    },
  );

  test.each([
    'GET /api/calendar/status/*',
    'GET /api/calendar/appointments/*',
    'GET /api/calendar/appointments/BOT/*',
    'GET /api/calendar/appointments/BOT?cursor=*',
    'GET /api/bots/*',
    'GET /api/bots?cursor=*',
    'GET /api/bots?limit=*',
    'PATCH /api/bots/*',
    'DELETE /api/bots/*',
    'DELETE /api/keys/*',
    'POST /api/calendar/connect/*',
    'POST /api/calendar/disconnect/*',
    'POST /api/calendar/create-event/*',
    'GET /connect/*',
    'POST /connect/*',
    'GET /oauth/google/callback?state=*',
    'GET /*',
  ])('nothing in the address of %s ends in a 5xx', async (route) => {
    const [method = '', pattern = ''] = route.replace('BOT', botId).split(' ');
    const body = route.startsWith('PATCH') ? { name: 'A bot' } : undefined;
    await fc.assert(
      fc.asyncProperty(text, async (sent) => {
        const path = pattern.replace('*', () => encodeURIComponent(sent.toWellFormed()));
        const answer = await server.call(method, path, body);
        expect(answer.status, `${path} → ${answer.text}`).toBeLessThan(500);
      }),
      { numRuns: 25, examples: [['\u0000'], ['bot-\u0000'], ['%'], ['../..'], ['a'.repeat(400)]] },
    );
  });

  test.each([
    ['POST /api/bots', { name: 'a\u0000b' }],
    ['PATCH /api/bots/BOT', { name: '\n' }],
    ['POST /api/keys', { name: 'a\u0000b' }],
    ['POST /api/keys', { name: 'A key', expiresAt: 2 ** 63 }],
    ['POST /api/keys', { name: 'A key', expiresAt: -1 }],
  ])('%s refuses %j', async (route, body) => {
    const [method = '', path = ''] = route.replace('BOT', botId).split(' ');
    const answer = await server.call(method, path, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('a webhook for a bot whose id no bot can have finds none', async () => {
    const body = { botId: 'bot-\u0000', type: 'appointment', formData: {} };
    const answer = await server.call('POST', '/api/webhook/appointment', body, null);
    expect(answer).toMatchObject({ status: 404, body: { code: 'bot_not_found' } });
  });

  test.each([
    ['GET', '/nowhere', 404, 'route_not_found', null],
    ['GET', '/api/calendar', 404, 'route_not_found', null],
    ['PUT', '/api/bots', 405, 'method_not_allowed', 'GET, POST'],
    ['DELETE', '/api/calendar/status/bot-x', 405, 'method_not_allowed', 'GET'],
    ['GET', '/api/calendar/create-event/bot-x', 405, 'method_not_allowed', 'POST'],
    ['PATCH', '/api/webhook/appointment', 405, 'method_not_allowed', 'POST'],
  ])('%s %s is answered by %i %s', async (method, path, status, code, allow) => {
    const answer = await server.call(method, path);
    expect(answer).toMatchObject({ status, body: { success: false, code } });
    expect(answer.headers.get('allow')).toBe(allow);
  });
});
