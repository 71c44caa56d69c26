import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { bookingTraces } from './support/stored.ts';
import { bootstrapKey, openTestApp, startOfTests, type TestApp } from './support/test-app.ts';

const berlin = 'Europe/Berlin';
const gap = { date: '2026-03-29', time: '02:30', timeZone: berlin };
const fold = { date: '2026-10-25', time: '02:30', timeZone: berlin };

/** What is wrong with a booking, and the code that says so. Unnamed status: 400. */
const faultyBookings: readonly [name: string, changes: unknown, code: string][] = [
  ['no name', { customerName: undefined }, 'invalid_request'],
  ['an empty name', { customerName: '' }, 'invalid_request'],
  ['a name of controls only', { customerName: '\u0000\n\u0007' }, 'invalid_request'],
  ['a number as name', { customerName: 7 }, 'invalid_request'],
  ['a name of 201 characters', { customerName: 'a'.repeat(201) }, 'invalid_request'],
  ['no e-mail', { email: undefined }, 'invalid_request'],
  ['null as e-mail', { email: null }, 'invalid_request'],
  ['a list as e-mail', { email: ['alan@example.org'] }, 'invalid_request'],
  ['no date', { date: undefined }, 'invalid_request'],
  ['a number as date', { date: 20270601 }, 'invalid_request'],
  ['a number as time', { time: 10 }, 'invalid_request'],
  ['an object as phone', { phone: {} }, 'invalid_request'],
  ['a text as duration', { durationMinutes: '30' }, 'invalid_request'],
  ['a fractional duration', { durationMinutes: 30.5 }, 'invalid_request'],
  ['a duration of 0', { durationMinutes: 0 }, 'invalid_request'],
  ['a negative duration', { durationMinutes: -30 }, 'invalid_request'],
  ['a huge duration', { durationMinutes: 1e300 }, 'invalid_request'],
  ['notes that are too long', { notes: 'n'.repeat(4_001) }, 'invalid_request'],
  ['a list as answers', { answers: ['a'] }, 'invalid_request'],
  ['a number as answer', { answers: { colour: 7 } }, 'invalid_request'],
  [
    'an answer under a name with a line break',
    { answers: { 'a\nb': { c: 1 } } },
    'invalid_request',
  ],
  [
    'an answer under a name that is too long',
    { answers: { ['a'.repeat(101)]: 'b' } },
    'invalid_request',
  ],
  [
    '51 answers',
    { answers: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`q${i}`, 'a'])) },
    'invalid_request',
  ],
  ['an unknown field', { colour: 'red' }, 'unknown_field'],
  ['an unknown field of another language', { имя: 'Алан' }, 'unknown_field'],
  ['a field named like a method', { constructor: 'x' }, 'unknown_field'],
  ['30 February', { date: '2027-02-30' }, 'invalid_date'],
  ['29 February of a common year', { date: '2027-02-29' }, 'invalid_date'],
  ['a thirteenth month', { date: '2027-13-01' }, 'invalid_date'],
  ['a German date', { date: '01.06.2027' }, 'invalid_date'],
  ['a date in Arabic digits', { date: '٢٠٢٧-٠٦-٠١' }, 'invalid_date'],
  ['a date with a line break', { date: '2027-06-01\n' }, 'invalid_date'],
  ['a date-time as date', { date: '2027-06-01T10:00' }, 'invalid_date'],
  ['an empty date', { date: '' }, 'invalid_date'],
  ['24:00', { time: '24:00' }, 'invalid_time'],
  ['12:60', { time: '12:60' }, 'invalid_time'],
  ['9:30', { time: '9:30' }, 'invalid_time'],
  ['10:00:30', { time: '10:00:30' }, 'invalid_time'],
  ['10 am', { time: '10 am' }, 'invalid_time'],
  ['a time with NUL', { time: '10:00\u0000' }, 'invalid_time'],
  ['an unknown zone', { timeZone: 'Europe/Atlantis' }, 'invalid_timezone'],
  ['an offset as zone', { timeZone: '+02:00' }, 'invalid_timezone'],
  ['a zone that only ICU knows', { timeZone: 'PST' }, 'invalid_timezone'],
  ['a zone of System V', { timeZone: 'SystemV/AST4' }, 'invalid_timezone'],
  ['a time with a zone in brackets as zone', { timeZone: 'T10:00[UTC]' }, 'invalid_timezone'],
  ['an empty zone', { timeZone: '' }, 'invalid_timezone'],
  ['a zone with NUL', { timeZone: 'Europe/Berlin\u0000' }, 'invalid_timezone'],
  ['a time that the clocks skip', gap, 'nonexistent_local_time'],
  ['a skipped time with an offset', { ...gap, offset: '+01:00' }, 'nonexistent_local_time'],
  ['a time that happens twice', fold, 'ambiguous_local_time'],
  ['a wrong offset in the fold', { ...fold, offset: '+03:00' }, 'offset_zone_mismatch'],
  [
    'an offset that contradicts the zone',
    { date: '2027-06-01', timeZone: berlin, offset: '+01:00' },
    'offset_zone_mismatch',
  ],
  ['an offset that is none', { offset: 'summer' }, 'offset_zone_mismatch'],
  ['another weekday', { date: '2027-06-01', weekday: 'Monday' }, 'weekday_mismatch'],
  ['a weekday that is none', { date: '2027-06-01', weekday: 'someday' }, 'weekday_mismatch'],
  ['yesterday', { date: '2026-01-11' }, 'time_in_past'],
  ['this minute', { date: '2026-01-12', time: '08:00', timeZone: 'UTC' }, 'time_in_past'],
  ['the year 1', { date: '0001-01-01' }, 'time_in_past'],
];

const badEmails = [
  'alan',
  '@example.org',
  'alan@',
  'alan@example',
  'alan@@example.org',
  'alan@example..org',
  'alan@.example.org',
  'alan@example.org.',
  'alan turing@example.org',
  'alan@example.org\n',
  'alan@example.org\r\nBcc: everyone@example.org',
  'alan\u0000@example.org',
  'alan@exa\tmple.org',
  'alan@example.org,grace@example.com',
  'alan@example.org;grace@example.com',
  'Alan <alan@example.org>',
  'mailto:alan@example.org',
  '"alan"@example.org',
  'alan\ud800@example.org',
  'alan\u202e@example.org',
  'alan@example.org\u2028',
];

describeOnEachDatabase('a faulty booking', (dialect) => {
  let server: TestApp;
  let path: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    path = `/api/calendar/create-event/${await server.connectedBot()}`;
  });
  afterAll(() => server.close());

  const refused = async (body: unknown, status: number, code: string) => {
    const before = await bookingTraces(server);
    const answer = await server.call('POST', path, body);
    expect(answer).toMatchObject({ status, body: { success: false, code, status } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body.detail).toMatch(/\S/);
    expect(answer.text).not.toMatch(/\{\w+\}/);
    expect(await bookingTraces(server)).toEqual(before);
    return answer;
  };

  test.each(['2028-06-01', '2030-06-03', '2100-06-01', '9999-12-31'])(
    '%s is too far ahead, and the owner’s calendar is not read that far',
    async (date) => {
      server.sandbox.requests.clear();
      await refused(bookingOf({ date, time: '10:00' }), 422, 'too_far_ahead');
      const lists = server.sandbox.requests.filter(({ route }) => route === 'events.list');
      const latest = new Date(startOfTests + 800 * 86_400_000).toISOString();
      for (const { query } of lists) expect(String(query.timeMax ?? '') < latest).toBe(true);
    },
  );

  test.each(faultyBookings)('%s is refused', async (_, changes, code) => {
    await refused(bookingOf(changes as Record<string, unknown>), 400, code);
  });

  test.each(badEmails)('the e-mail address %j is refused', async (email) => {
    await refused(bookingOf({ email }), 400, 'invalid_email');
  });

  test.each([
    ['broken JSON', '{"email":', 400, 'invalid_json'],
    ['JSON with __proto__', '{"__proto__":{"admin":true}}', 400, 'invalid_json'],
    ['JSON with a nested __proto__', '{"answers":{"__proto__":"x"}}', 400, 'invalid_json'],
    [
      'JSON with a nested constructor',
      '{"answers":{"constructor":{"prototype":{}}}}',
      400,
      'invalid_json',
    ],
    ['a text', '"book"', 400, 'invalid_request'],
    ['a list', '[]', 400, 'invalid_request'],
    ['null', 'null', 400, 'invalid_request'],
    ['no body', '', 400, 'invalid_request'],
    [
      'a body of 1 MB',
      JSON.stringify(bookingOf({ notes: 'n'.repeat(1_000_000) })),
      413,
      'body_too_large',
    ],
    ['1,000 brackets', `${'['.repeat(1_000)}${']'.repeat(1_000)}`, 400, 'invalid_request'],
  ])('%s is refused', async (_, body, status, code) => {
    await refused(body, status, code);
  });

  test.each([
    ['text/plain', 415, 'unsupported_media_type'],
    ['application/xml', 415, 'unsupported_media_type'],
    ['multipart/form-data; boundary=x', 415, 'unsupported_media_type'],
  ])('the content type %s is refused', async (type, status, code) => {
    const before = await bookingTraces(server);
    const answer = await server.send(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${bootstrapKey}`, 'content-type': type },
      body: JSON.stringify(bookingOf()),
    });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(await bookingTraces(server)).toEqual(before);
  });

  test('a misspelt field is told by its right name', async () => {
    const { body } = await refused(bookingOf({ customer_name: 'Alan' }), 400, 'unknown_field');
    expect(body.detail).toContain('"customer_name"');
    expect(body.detail).toContain('Did you mean "customerName"?');
  });

  test('letters that changed places are told, too', async () => {
    const { body } = await refused(bookingOf({ emial: 'a@b.de' }), 400, 'unknown_field');
    expect(body.detail).toContain('Did you mean "email"?');
  });

  test('the right weekday is named', async () => {
    const { body } = await refused(
      bookingOf({ date: '2027-06-01', weekday: 'Monday' }),
      400,
      'weekday_mismatch',
    );
    expect(body.detail).toContain('2027-06-01 is a Tuesday, not a Monday');
  });
});

describeOnEachDatabase('an odd but valid booking', (dialect) => {
  let server: TestApp;
  let path: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    path = `/api/calendar/create-event/${await server.connectedBot()}`;
  });
  afterAll(() => server.close());

  test.each([
    ['the first of two equal times', { ...fold, offset: '+02:00' }, '2026-10-25T02:30:00+02:00'],
    ['the second of two equal times', { ...fold, offset: '+01:00' }, '2026-10-25T02:30:00+01:00'],
    ['just before the gap', { ...gap, time: '01:30' }, '2026-03-29T01:30:00+01:00'],
    ['just after the gap', { ...gap, time: '03:00' }, '2026-03-29T03:00:00+02:00'],
    [
      'an offset that the zone has',
      { date: '2026-07-01', time: '10:00', timeZone: berlin, offset: '+02:00' },
      '2026-07-01T10:00:00+02:00',
    ],
    [
      'the right weekday, in capitals',
      { date: '2026-07-02', time: '10:00', timeZone: berlin, weekday: 'THURSDAY' },
      '2026-07-02T10:00:00+02:00',
    ],
    [
      'midnight',
      { date: '2026-07-03', time: '00:00', timeZone: 'Pacific/Chatham' },
      '2026-07-03T00:00:00+12:45',
    ],
  ])('%s is booked at that instant', async (_, when, start) => {
    const answer = await server.call('POST', path, bookingOf(when));
    expect(answer).toMatchObject({ status: 201, body: { start } });
  });

  test('a zone in another case is booked under its proper name', async () => {
    const answer = await server.call('POST', path, bookingOf({ timeZone: 'europe/BERLIN' }));
    expect(answer).toMatchObject({ status: 201, body: { timeZone: berlin } });
  });

  test('control characters and lone surrogates in texts do no harm', async () => {
    const answer = await server.call(
      'POST',
      path,
      bookingOf({
        customerName: 'Alan\u0000 \u0007\n Turing\ud800',
        phone: '+49\u0000123',
        notes: 'first\r\nsecond\u0000\udc00',
        answers: { 'Bike\u0000\ud800': 'red\u0000\udfff' },
      }),
    );
    expect(answer.status).toBe(201);
    const appointment = await server.call(
      'GET',
      path.replace('create-event', 'appointments').concat(`/${answer.body.appointmentId}`),
    );
    expect(appointment.body).toMatchObject({
      customerName: 'Alan Turing\ufffd',
      phone: '+49 123',
      notes: 'first\nsecond \ufffd',
      answers: { 'Bike \ufffd': 'red \ufffd' },
    });
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'an answer named %s is an answer',
    async (name) => {
      const answer = await server.call('POST', path, bookingOf({ answers: { [name]: 'yes' } }));
      expect(answer.status).toBe(201);
      const event = server.sandbox
        .events('ada@example.com')
        .find(({ id }) => id === answer.body.eventId);
      expect(event?.description).toContain(`${name}: yes`);
    },
  );
});
