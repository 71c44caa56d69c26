import { agentToolNames } from '@calhook/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { connectMcp, type McpClient, type ToolAnswer } from './support/mcp-client.ts';
import { bookingTraces } from './support/stored.ts';
import { bootstrapKey, openTestApp, secretPartOf, type TestApp } from './support/test-app.ts';

const ada = 'ada@example.com';
const grace = 'grace@example.com';
const customer = { customerName: 'Alan Turing', email: 'alan@example.org' };

describeOnEachDatabase('the MCP server', (dialect) => {
  let server: TestApp;
  let botA: string;
  let botB: string;
  let agent: McpClient;
  const clients: McpClient[] = [];
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    botA = await server.connectedBot(ada, { timeZone: 'Africa/Lagos' });
    botB = await server.connectedBot(grace, { timeZone: 'Africa/Lagos' });
    agent = await connectMcp(server);
    clients.push(agent);
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await server.close();
  });

  const makeKey = async (wanted: Record<string, unknown>) => {
    const made = await server.call('POST', '/api/keys', { name: 'An agent', ...wanted });
    expect(made.status, made.text).toBe(201);
    return String(made.body.secret);
  };
  const agentWith = async (wanted: Record<string, unknown>) => {
    const client = await connectMcp(server, await makeKey(wanted));
    clients.push(client);
    return client;
  };
  const expectRefused = (answer: ToolAnswer, code: string) => {
    expect(answer).toMatchObject({ isError: true, body: { success: false, code } });
    expect(answer.body.detail).toMatch(/^[A-Z].+[.?]$/);
    expect(JSON.parse(answer.text)).toEqual(answer.body);
  };
  const eventsOf = (email: string) =>
    server.sandbox.events(email).filter(({ status }) => status !== 'cancelled');

  test('names itself, and lists its tools with what a model and its host need', async () => {
    expect(agent.client.getServerVersion()).toMatchObject({ name: 'calhook', title: 'Calhook' });
    expect(agent.client.getInstructions()).toContain('find_slots');
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(agentToolNames);
    for (const { name, title, description, inputSchema, annotations } of tools) {
      expect(title, name).toMatch(/^[A-Z]/);
      expect(description, name).toMatch(/^[A-Z].{60,}\.$/);
      expect(inputSchema, name).toMatchObject({ type: 'object', additionalProperties: false });
      expect(inputSchema.required, name).toContain('botId');
      for (const [field, schema] of Object.entries(inputSchema.properties ?? {})) {
        expect((schema as { description?: string }).description, `${name} ${field}`).toBeTruthy();
      }
      expect(annotations, name).toMatchObject({
        readOnlyHint: name === 'find_slots' || name === 'status',
        destructiveHint: name === 'cancel' || name === 'reschedule',
        idempotentHint: name !== 'hold_slot',
      });
    }
  });

  test('takes an appointment through its whole life', async () => {
    const status = await agent.call('status', { botId: botA });
    expect(status.body).toEqual({
      connected: true,
      expired: false,
      status: 'connected',
      name: `Bot of ${ada}`,
      timeZone: 'Africa/Lagos',
      language: 'en',
      durationMinutes: 30,
    });
    const found = await agent.call('find_slots', { botId: botA, from: '2026-03-03', limit: 3 });
    expect(found).toMatchObject({ isError: false, body: { timeZone: 'Africa/Lagos', more: true } });
    const slots = found.body.slots as { date: string; time: string; label: string }[];
    expect(slots.map(({ date, time }) => `${date} ${time}`)).toEqual([
      '2026-03-03 00:00',
      '2026-03-03 00:05',
      '2026-03-03 00:10',
    ]);
    const [{ date, time } = { date: '', time: '' }] = slots;
    const held = await agent.call('hold_slot', { botId: botA, date, time });
    expect(held.body.holdId).toMatch(/^hold-/);
    const wish = { botId: botA, ...customer, date, time };
    expectRefused(await agent.call('book', wish), 'slot_unavailable');
    const booked = await agent.call('book', { ...wish, holdId: held.body.holdId });
    expect(booked.body).toMatchObject({
      success: true,
      status: 'confirmed',
      start: '2026-03-03T00:00:00+01:00',
    });
    expect(JSON.parse(booked.text)).toEqual(booked.body);
    const { appointmentId } = booked.body;
    const again = await agent.call('book', wish);
    expect(again.body).toMatchObject({ success: true, replayed: true, appointmentId });
    expect(eventsOf(ada)).toHaveLength(1);

    const moved = await agent.call('reschedule', {
      botId: botA,
      appointmentId,
      date,
      time: '09:00',
    });
    expect(moved.body).toMatchObject({ id: appointmentId, start: '2026-03-03T09:00:00+01:00' });
    const startInGoogle = Date.parse(String(eventsOf(ada)[0]?.start?.dateTime));
    expect(startInGoogle).toBe(Date.parse('2026-03-03T09:00:00+01:00'));
    const cancelled = await agent.call('cancel', { botId: botA, appointmentId });
    expect(cancelled.body).toMatchObject({ id: appointmentId, status: 'cancelled' });
    expect(eventsOf(ada)).toEqual([]);
    expect(eventsOf(grace)).toEqual([]);
  });

  test('says when no further slots follow', async () => {
    const hours = { weeklyHours: { tuesday: [{ start: '09:00', end: '10:00' }] } };
    const bot = await server.connectedBot(ada, { ...hours, slotStepMinutes: 30 });
    const day = { from: '2026-03-10', to: '2026-03-10' };
    const all = await agent.call('find_slots', { botId: bot, ...day, limit: 2 });
    expect(all.body).toMatchObject({ slots: { length: 2 }, more: false });
    const first = await agent.call('find_slots', { botId: bot, ...day, limit: 1 });
    expect(first.body).toMatchObject({ slots: { length: 1 }, more: true });
  });

  test('answers a taken time with its sentence and alternatives', async () => {
    const wish = { botId: botB, ...customer, ...freeSlot() };
    expect((await agent.call('book', wish)).isError).toBe(false);
    const refused = await agent.call('book', { ...wish, email: 'other@example.org' });
    expectRefused(refused, 'slot_unavailable');
    expect(refused.body.alternatives).toHaveLength(3);
  });

  test('lists only what a key may do, and names the scope that another tool needs', async () => {
    const reader = await agentWith({ scopes: ['slots:read', 'status:read'] });
    const { tools } = await reader.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['find_slots', 'status']);
    const before = await bookingTraces(server);
    const wish = { botId: botA, ...customer, ...freeSlot() };
    for (const tool of ['hold_slot', 'book', 'reschedule', 'cancel']) {
      const refused = await reader.call(tool, wish);
      expectRefused(refused, 'insufficient_scope');
      expect(refused.body.detail).toContain('appointments:write');
    }
    expect(await bookingTraces(server)).toEqual(before);
    const writer = await agentWith({ scopes: ['appointments:write'] });
    expectRefused(await writer.call('find_slots', { botId: botA }), 'insufficient_scope');
    expectRefused(await writer.call('status', { botId: botA }), 'insufficient_scope');
    const powerless = await agentWith({ scopes: ['keys:manage'] });
    expect((await powerless.client.listTools()).tools).toEqual([]);
  });

  test('treats the bot of another key as one that does not exist', async () => {
    const own = await agentWith({ botIds: [botB] });
    expect(own.client.getInstructions()).toContain(botB);
    expect((await own.call('status', { botId: botB })).isError).toBe(false);
    const mine = await agent.call('book', { botId: botA, ...customer, ...freeSlot() });
    const { appointmentId } = mine.body;
    const before = await bookingTraces(server);
    const slot = freeSlot();
    for (const [tool, input] of [
      ['find_slots', {}],
      ['hold_slot', slot],
      ['book', { ...customer, ...slot }],
      ['reschedule', { appointmentId, ...slot }],
      ['cancel', { appointmentId }],
      ['status', {}],
    ] as const) {
      const foreign = await own.call(tool, { botId: botA, ...input });
      expectRefused(foreign, 'bot_not_found');
      const unknown = await own.call(tool, { botId: 'bot-nobody', ...input });
      expect(unknown, tool).toEqual(foreign);
    }
    expectRefused(
      await own.call('cancel', { botId: botB, appointmentId }),
      'appointment_not_found',
    );
    expect(await bookingTraces(server)).toEqual(before);
  });

  test.each([
    ['book', { date: '2027-01-01', time: '10:00' }, 'invalid_request', 'customerName'],
    [
      'book',
      { ...customer, mail: 'x', date: '', time: '' },
      'unknown_field',
      'Did you mean "email"',
    ],
    ['book', { ...customer, date: 'tomorrow', time: '10:00' }, 'invalid_date', 'tomorrow'],
    ['find_slots', { limit: 201 }, 'invalid_request', 'limit'],
    ['find_slots', { from: 'soon' }, 'invalid_request', 'from must be a date'],
    ['cancel', {}, 'invalid_request', 'appointmentId'],
    ['cancel', { appointmentId: 'apt-unknown' }, 'appointment_not_found', ''],
    ['status', { botId: 7 }, 'invalid_request', 'botId'],
  ])('%s of %j is refused as %s, in a sentence', async (tool, input, code, words) => {
    const refused = await agent.call(tool, { botId: botA, ...input });
    expectRefused(refused, code);
    expect(refused.body.detail).toContain(words);
  });

  test('knows no other tool', async () => {
    for (const name of ['drop_tables', 'toString', '__proto__']) {
      await expect(agent.call(name, { botId: botA })).rejects.toThrow(`There is no tool "${name}"`);
    }
  });

  test('logs which key called which tool, and nothing of customers or secrets', async () => {
    const secret = await makeKey({ scopes: ['appointments:write'] });
    const client = await connectMcp(server, secret);
    clients.push(client);
    const person = { customerName: 'Zuse Konrad', email: 'zuse@example.org', phone: '+49301234' };
    await client.call('book', { botId: botA, ...person, notes: 'knock twice', ...freeSlot() });
    await client.call('status', { botId: botA });
    const calls = server.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'tool call');
    expect(calls.slice(-2)).toMatchObject([
      { tool: 'book', keyId: expect.stringMatching(/^[a-z0-9]+$/) },
      { tool: 'status', refused: 'insufficient_scope' },
    ]);
    const log = server.log.join('\n');
    for (const word of [
      secretPartOf(secret),
      secretPartOf(bootstrapKey),
      ...Object.values(person),
    ]) {
      expect(log).not.toContain(word);
    }
    expect(log).not.toContain('knock twice');
  });
});

describe('/mcp', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect: 'sqlite' });
  });
  afterAll(() => server.close());

  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const post = (headers: Record<string, string>, body: unknown = ping) =>
    server.send('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bootstrapKey}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    });

  test.each([
    ['no key', null, 'missing_api_key'],
    ['a made-up key', `chk_bootstrap_${'x'.repeat(43)}`, 'invalid_api_key'],
  ])('%s is answered by 401 with a challenge', async (_, key, code) => {
    const answer = await server.call('POST', '/mcp', ping, key);
    expect(answer).toMatchObject({ status: 401, body: { code } });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    await expect(connectMcp(server, key)).rejects.toThrow('401');
  });

  test('a key that was revoked ends in the middle of a conversation', async () => {
    const made = await server.call('POST', '/api/keys', { name: 'Short', scopes: ['status:read'] });
    const client = await connectMcp(server, String(made.body.secret));
    expect((await client.client.listTools()).tools).toHaveLength(1);
    const { id } = made.body.apiKey as { id: string };
    await server.call('DELETE', `/api/keys/${id}`);
    await expect(client.client.listTools()).rejects.toThrow('401');
    await client.close();
  });

  test('a page of another origin is refused before its key is looked at', async () => {
    expect(await post({})).toMatchObject({ status: 200, body: { id: 1, result: {} } });
    expect((await post({ origin: server.url })).status).toBe(200);
    for (const origin of [
      'https://evil.example',
      'null',
      server.url.replace('127.0.0.1', 'localhost'),
    ]) {
      const refused = await post({ origin, authorization: 'Bearer x' });
      expect(refused).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
    }
  });

  test.each([
    ['a batch', [ping], 400],
    ['no JSON-RPC', { hello: 'there' }, 400],
    ['nothing', null, 400],
    ['a list of nothing', [], 400],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }, 202],
  ])('%s is answered at once', async (_, body, status) => {
    expect((await post({}, body)).status).toBe(status);
  });

  test('has neither sessions nor streams', async () => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await server.call(method, '/mcp');
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
      expect(answer.headers.get('allow')).toBe('POST');
    }
    expect((await post({})).headers.get('mcp-session-id')).toBeNull();
  });
});
