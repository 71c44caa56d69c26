import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { bookingTraces } from './support/stored.ts';
import { bootstrapKey, openTestApp, type TestApp } from './support/test-app.ts';

const path = '/api/webhook/appointment';
const website = 'https://www.example.com';
const stranger = 'https://evil.example';

describeOnEachDatabase('the webhook', (dialect) => {
  let server: TestApp;
  let openBot: string;
  let closedBot: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    openBot = await server.connectedBot('ada@example.com', { allowedOrigins: [website] });
    closedBot = await server.connectedBot('grace@example.com');
  });
  afterAll(() => server.close());

  const form = (changes: Record<string, unknown> = {}) => {
    const { customerName: fullName, ...rest } = bookingOf();
    return { fullName, phone: '+49 30 123', ...rest, ...changes };
  };
  const post = (
    botId: string,
    headers: Record<string, string>,
    changes: Record<string, unknown> = {},
  ) =>
    server.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ botId, type: 'appointment', formData: form(), ...changes }),
    });
  const withKey = { authorization: `Bearer ${bootstrapKey}` };
  const eventOf = (answer: { body: Record<string, unknown> }, account = 'ada@example.com') =>
    server.sandbox.events(account).find(({ id }) => id === answer.body.eventId);

  test.each([
    ['a key', () => closedBot, withKey],
    ['a key, from any website', () => closedBot, { ...withKey, origin: stranger }],
    ['the bot’s website', () => openBot, { origin: website }],
    ['a program, for a bot open to a website', () => openBot, {}],
    ['a key and the bot’s website', () => openBot, { ...withKey, origin: website }],
  ])('books with %s', async (_, bot, headers) => {
    const answer = await post(bot(), headers);
    expect(answer).toMatchObject({ status: 201, body: { success: true, status: 'confirmed' } });
  });

  test.each([
    ['another website', () => openBot, { origin: stranger }, 403, 'origin_not_allowed'],
    [
      'the website over plain HTTP',
      () => openBot,
      { origin: 'http://www.example.com' },
      403,
      'origin_not_allowed',
    ],
    [
      'the website on another port',
      () => openBot,
      { origin: `${website}:8443` },
      403,
      'origin_not_allowed',
    ],
    [
      'a website of a longer name',
      () => openBot,
      { origin: `${website}.evil.example` },
      403,
      'origin_not_allowed',
    ],
    ['an opaque origin', () => openBot, { origin: 'null' }, 403, 'origin_not_allowed'],
    ['a program, for a bot open to no website', () => closedBot, {}, 401, 'missing_api_key'],
    ['nothing, where no website is named', () => closedBot, {}, 401, 'missing_api_key'],
    [
      'a website, where none is named',
      () => closedBot,
      { origin: website },
      401,
      'missing_api_key',
    ],
    [
      'a made-up key',
      () => openBot,
      { authorization: `Bearer chk_bootstrap_${'x'.repeat(43)}`, origin: website },
      401,
      'invalid_api_key',
    ],
    ['a bot that does not exist', () => 'bot-nowhere', { origin: website }, 404, 'bot_not_found'],
  ])('refuses %s, and stores nothing', async (_, bot, headers, status, code) => {
    const before = await bookingTraces(server);
    const answer = await post(bot(), headers);
    expect(answer).toMatchObject({ status, body: { success: false, code } });
    expect(await bookingTraces(server)).toEqual(before);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('refuses a key that lacks the scope, and one of another bot', async () => {
    const before = await bookingTraces(server);
    const keyOf = async (wanted: Record<string, unknown>) => {
      const made = await server.call('POST', '/api/keys', { name: 'A key', ...wanted });
      return { authorization: `Bearer ${made.body.secret}` };
    };
    const reading = await keyOf({ scopes: ['status:read'] });
    expect(await post(openBot, reading)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
    const other = await keyOf({ botIds: [closedBot] });
    expect(await post(openBot, other)).toMatchObject({
      status: 404,
      body: { code: 'bot_not_found' },
    });
    expect(await bookingTraces(server)).toEqual(before);
  });

  test.each([
    ['another type', { type: 'question' }, 'not_an_appointment'],
    ['no type', { type: undefined }, 'invalid_request'],
    ['a number as bot', { botId: 7 }, 'invalid_request'],
    ['no form', { formData: undefined }, 'invalid_request'],
    ['a text as form', { formData: 'x' }, 'invalid_request'],
    ['a list as form', { formData: [] }, 'invalid_request'],
    ['an empty form', { formData: {} }, 'invalid_request'],
    ['no name', { formData: bookingOf({ customerName: '' }) }, 'invalid_request'],
    ['no e-mail', { formData: bookingOf({ email: null }) }, 'invalid_request'],
    ['no date', { formData: bookingOf({ date: '' }) }, 'invalid_request'],
    ['no time', { formData: bookingOf({ time: undefined }) }, 'invalid_request'],
    ['a nested field', { formData: bookingOf({ bike: { colour: 'red' } }) }, 'invalid_request'],
    [
      'a list as field',
      { formData: bookingOf({ email: ['a@b.de', 'c@d.de'] }) },
      'invalid_request',
    ],
    [
      'a duration that is none',
      { formData: bookingOf({ durationMinutes: 'long' }) },
      'invalid_request',
    ],
    [
      'answers that are nested',
      { formData: bookingOf({ answers: { a: { b: 'c' } } }) },
      'invalid_request',
    ],
    [
      'an answer that is too long',
      { formData: bookingOf({ story: 's'.repeat(2_001) }) },
      'invalid_request',
    ],
    ['a bad e-mail', { formData: bookingOf({ email: 'alan' }) }, 'invalid_email'],
    ['a bad time', { formData: bookingOf({ time: '24:00' }) }, 'invalid_time'],
  ])('refuses %s, and stores nothing', async (_, changes, code) => {
    const before = await bookingTraces(server);
    const answer = await post(openBot, withKey, changes);
    expect(answer).toMatchObject({ status: 400, body: { success: false, code } });
    expect(await bookingTraces(server)).toEqual(before);
  });

  test('shows all fields of the form in the event', async () => {
    const formData = form({
      Bicycle: 'red <b>and</b> tall',
      gears: 21,
      insured: true,
      empty: '',
      nothing: null,
      notes: 'Please ring twice.',
      toString: 'a field like any other',
      answers: { Frame: 'steel' },
    });
    const answer = await post(openBot, { origin: website }, { formData });
    expect(answer.status).toBe(201);
    const event = eventOf(answer);
    expect(event).toMatchObject({
      summary: 'Alan Turing',
      attendees: [expect.objectContaining({ email: 'alan@example.org' })],
    });
    expect(event?.description).toBe(
      [
        'Name: Alan Turing',
        'E-mail: alan@example.org',
        'Phone: +49 30 123',
        'Bicycle: red ‹b›and‹/b› tall',
        'gears: 21',
        'insured: true',
        'toString: a field like any other',
        'Frame: steel',
        '',
        'Please ring twice.',
      ].join('\n'),
    );
  });

  test('takes the duration as text, as forms send it, and spreadsheet fields beside it', async () => {
    const formData = form({ durationMinutes: '45', timeZone: 'UTC' });
    const answer = await post(openBot, withKey, { formData, submittedAt: 'now' });
    expect(answer.status).toBe(201);
    const { start, end } = answer.body;
    expect(Date.parse(String(end)) - Date.parse(String(start))).toBe(45 * 60_000);
  });

  test('books once, however often the form is sent', async () => {
    const formData = { ...form(), ...freeSlot() };
    const first = await post(openBot, { origin: website }, { formData });
    const again = await post(openBot, { origin: website }, { formData });
    expect(first.status).toBe(201);
    expect(again).toMatchObject({
      status: 200,
      body: { replayed: true, appointmentId: first.body.appointmentId },
    });
  });

  test('answers the preflight of a browser', async () => {
    const answer = await server.send(path, {
      method: 'OPTIONS',
      headers: {
        origin: website,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(website);
    expect(answer.headers.get('access-control-allow-methods')).toBe('POST');
    expect(answer.headers.get('access-control-allow-headers')).toContain('content-type');
    expect(answer.headers.get('vary')).toBe('Origin');
  });

  test.each([
    ['a booking', {}, 201],
    ['a refused form', { formData: {} }, 400],
    ['a refused body', { formData: 7 }, 400],
    ['broken words', { type: 'x' }, 400],
    ['a body that is too large', { formData: form({ notes: 'n'.repeat(70_000) }) }, 413],
  ])('lets the website read the answer to %s', async (_, changes, status) => {
    const answer = await post(openBot, { origin: website }, changes);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(website);
    expect(answer.headers.get('vary')).toBe('Origin');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('no other route may be read by websites', async () => {
    const answer = await server.send(`/api/calendar/status/${openBot}`, {
      headers: { ...withKey, origin: website },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
