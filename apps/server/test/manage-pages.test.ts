import { afterAll, beforeAll, expect, test } from 'vitest';
import { book, bookingOf, freeSlot } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const owner = 'ada@example.com';

describeOnEachDatabase('the pages by which customers manage appointments', (dialect) => {
  let server: TestApp;
  let bot: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    bot = await server.connectedBot(owner, {
      name: 'Ada & <Sons>',
      timeZone: 'UTC',
      slotStepMinutes: 30,
    });
  });
  afterAll(() => server.close());

  const booked = async (changes: Record<string, unknown> = {}) => {
    const answer = await book(server, bot, bookingOf(changes));
    expect(answer.status, answer.text).toBe(201);
    const path = new URL(String(answer.body.manageUrl)).pathname;
    const read = async () =>
      (await server.call('GET', `/api/calendar/appointments/${bot}/${answer.body.appointmentId}`))
        .body;
    return { answer, path, read };
  };
  const post = (path: string, form: Record<string, string> = {}) =>
    server.send(path, { method: 'POST', body: new URLSearchParams(form) });
  const startsIn = (text: string) =>
    [...text.matchAll(/name="start" value="([^"]+)"/g)].map(([, start]) => start as string);

  test('show the appointment, and change nothing when they are looked at', async () => {
    const { answer, path, read } = await booked({ customerName: '<b>Alan</b>' });
    const before = await read();
    for (const page of ['', '/cancel', '/times', '/times?from=2027-06-10', '/times?from=x']) {
      for (const method of ['GET', 'HEAD']) {
        const shown = await server.send(path + page, { method });
        expect(shown.status, page).toBe(200);
        expect(shown.headers.get('cache-control')).toBe('no-store');
        expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
        expect(shown.text).not.toContain('<b>Alan</b>');
        expect(shown.text).not.toContain('<Sons>');
      }
    }
    const first = await server.send(path);
    expect(first.text).toContain('Ada &amp; &lt;Sons&gt;');
    expect(first.text).toContain(String(answer.body.when));
    expect(await read()).toEqual(before);
  });

  test('cancel it', async () => {
    const { path, read } = await booked();
    const page = await post(`${path}/cancel`);
    expect(page).toMatchObject({ status: 200 });
    expect(page.text).toContain('Your appointment is cancelled');
    expect(await read()).toMatchObject({ status: 'cancelled', inGoogle: true });
    expect((await server.send(path)).text).toContain('This appointment is cancelled');
    expect((await post(`${path}/cancel`)).status).toBe(200);
  });

  test('move it to a time that they offer', async () => {
    const { path, read } = await booked();
    const offered = await server.send(`${path}/times?from=2027-06-20`);
    const start = startsIn(offered.text)[3] ?? '';
    expect(start).toMatch(/^2027-06-20T/);
    const page = await post(`${path}/times`, { start });
    expect(page.text).toContain('Your appointment is moved');
    expect(await read()).toMatchObject({ start, inGoogle: true });
  });

  test('say why a time that was taken meanwhile is not to be had, and change nothing', async () => {
    const { path, read } = await booked();
    const before = await read();
    const slot = freeSlot();
    expect((await book(server, bot, bookingOf({ ...slot, email: 'r@example.org' }))).status).toBe(
      201,
    );
    const page = await post(`${path}/times`, { start: `${slot.date}T${slot.time}:00Z` });
    expect(page.status).toBe(409);
    expect(page.text).toContain('already taken');
    expect(page.text).toContain('Your appointment is as it was.');
    expect(await read()).toEqual(before);
  });

  test.each([
    ['no time', {}],
    ['something else', { start: 'tomorrow' }],
    ['a time that no calendar has', { start: '+275760-09-13T00:00:00.001Z' }],
  ])('refuse %s', async (_, form) => {
    const { path } = await booked();
    expect(await post(`${path}/times`, form)).toMatchObject({ status: 400 });
  });

  test.each([
    ['a signature that is cut', (path: string) => path.slice(0, -1)],
    [
      'a signature of another appointment',
      (path: string, other: string) => `${path.split('.')[0]}.${other.split('.')[1]}`,
    ],
    ['no signature', (path: string) => path.split('.')[0] ?? ''],
    ['an appointment that is not there', (path: string) => path.replace('apt-', 'apt-0')],
  ])('open nothing for %s', async (_, change) => {
    const [{ path }, other] = [await booked(), await booked()];
    const wrong = change(path, other.path);
    for (const page of ['', '/cancel', '/times']) {
      expect((await server.send(wrong + page)).status).toBe(404);
    }
    for (const page of ['/cancel', '/times']) expect((await post(wrong + page)).status).toBe(404);
  });

  test('speak the customer’s language and zone', async () => {
    const { path } = await booked({
      language: 'de-DE',
      timeZone: 'Asia/Tokyo',
      date: '2027-07-05',
      time: '10:00',
    });
    const page = await server.send(path);
    expect(page.text).toMatch(/5. Juli 2027 um 10:00 \(Asia\/Tokyo\)/);
  });
});
