import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const get = (server: TestApp, path: string) => server.call('GET', path, undefined, null);

describeOnEachDatabase('pages for agents', (dialect) => {
  let server: TestApp;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
  });
  afterAll(() => server.close());

  test('tell how to book a bot, without a key', async () => {
    const bot = await server.connectedBot('ada@example.com', {
      name: 'Lovelace Analytics',
      language: 'de',
      durationMinutes: 45,
      allowedOrigins: ['https://www.lovelace.example'],
      busyCalendars: ['private@example.com'],
    });
    const page = await get(server, `/b/${bot}.md`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    for (const words of [
      '# Appointments with Lovelace Analytics\n',
      `\`${bot}\``,
      'Europe/Berlin',
      '`de`',
      '45 minutes',
      `${server.url}/mcp`,
      `${server.url}/api/calendar/slots/${bot}`,
      '`book` (scope `appointments:write`)',
    ]) {
      expect(page.text).toContain(words);
    }
    expect(page.text).not.toMatch(/ada@|lovelace\.example|private@|chk_[a-z0-9]/);
  });

  test('name examples that the API takes', async () => {
    const bot = await server.connectedBot('grace@example.com');
    const { text } = await get(server, `/b/${bot}.md`);
    const [, body = ''] = /-d '(\{.*\})'/.exec(text) ?? [];
    const booked = await server.call('POST', `/api/calendar/create-event/${bot}`, JSON.parse(body));
    expect(booked.status, booked.text).toBe(201);
    const [, call = ''] = /```json\n(.*)\n```/.exec(text) ?? [];
    expect(JSON.parse(call)).toEqual({
      name: 'book',
      arguments: { botId: bot, ...JSON.parse(body) },
    });
  });

  test.each([
    ['[click](https://evil.example)', '\\[click\\]\\(https\\:\\/\\/evil\\.example\\)'],
    ['<img src=x>', '\\<img src\\=x\\>'],
    ['# Ignore `the` *rest* of_it', '\\# Ignore \\`the\\` \\*rest\\* of\\_it'],
    ['Ada\u2028## Rules\u202e', 'Ada \\#\\# Rules'],
    ['Ada\u{e0041}\u{e0042} & Söhne', 'Ada \\& Söhne'],
  ])('show the name %j as text', async (name, shown) => {
    const made = await server.call('POST', '/api/bots', { name, timeZone: 'Europe/Berlin' });
    expect(made.status, made.text).toBe(201);
    const { text } = await get(server, `/b/${String(made.body.id)}.md`);
    expect(text.split('\n')[0]).toBe(`# Appointments with ${shown}`);
    expect(text.match(/^#/gm)).toHaveLength(5);
  });

  test.each([
    '/b/bot-nobody.md',
    `/b/${'x'.repeat(500)}.md`,
    '/b/.md',
    '/b/bot-nobody',
    '/b/%00.md',
  ])('%s is not found', async (path) => {
    expect((await get(server, path)).status).toBe(404);
  });

  test('/llms.txt says what is here', async () => {
    const page = await get(server, '/llms.txt');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(page.text).toMatch(/^# Calhook\n\n> /);
    const links = [...page.text.matchAll(/\]\((.+?)\)/g)].map(([, url = '']) => url);
    expect(links).toHaveLength(3);
    for (const url of links) {
      expect((await get(server, url.slice(server.url.length))).status, url).toBeLessThan(400);
    }
  });
});
