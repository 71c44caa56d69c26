import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SWITCHES } from '../src/switches.ts';
import { ADA, CLIENT, REDIRECT } from './google-client.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

/** Runs the CLI; resolves at its first line, or when it ends. */
function runCli(...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  const firstLine = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        if (output.includes('\n')) resolve(output);
      });
    }
    void ended.then(() => resolve(output));
  });
  return { child, ended, firstLine };
}

async function seedFile(seed: unknown): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'google-sandbox-')), 'seed.json');
  await writeFile(path, typeof seed === 'string' ? seed : JSON.stringify(seed));
  return path;
}

let running: ReturnType<typeof runCli>;
let url: string;
beforeAll(async () => {
  const seed = await seedFile({
    accounts: [{ email: ADA, name: 'Ada Lovelace', timeZone: 'Europe/Berlin' }],
    clients: [CLIENT],
    switches: { pushToLoopback: true },
    now: Date.parse('2027-01-11T08:00:00Z'),
    events: [
      {
        email: ADA,
        event: {
          summary: 'Team <lunch>',
          start: { dateTime: '2027-01-12T12:00:00+01:00' },
          end: { dateTime: '2027-01-12T13:00:00+01:00' },
        },
      },
    ],
  });
  running = runCli('--seed', seed);
  const line = await running.firstLine;
  url = (JSON.parse(line.replace(/^ready /, '')) as { url: string }).url;
});
afterAll(async () => {
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
});

async function admin<Answer>(method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/sandbox/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, data: (text === '' ? undefined : JSON.parse(text)) as Answer };
}

describe('as a process of its own', () => {
  test('the admin API does what the library does', async () => {
    const seeded = await admin<{ events: { summary: string }[] }>('GET', `events?email=${ADA}`);
    expect(seeded.data.events.map(({ summary }) => summary)).toEqual(['Team <lunch>']);
    const event = {
      summary: 'Walk',
      start: { dateTime: '2027-01-13T12:00:00Z' },
      end: { dateTime: '2027-01-13T13:00:00Z' },
      attendees: [{ email: 'guest@customer.example' }],
    };
    const put = await admin<{ id: string }>('POST', 'events', {
      email: ADA,
      event,
      sendUpdates: 'all',
    });
    expect(put.status).toBe(200);
    const mail = await admin<{ messages: { to: string }[] }>('GET', 'mailbox');
    expect(mail.data.messages.map(({ to }) => to)).toEqual(['guest@customer.example']);
    expect((await admin('DELETE', 'mailbox')).status).toBe(204);
    const wrong = await admin<{ error: { code: number } }>('POST', 'events', {
      email: ADA,
      event: {},
    });
    expect([wrong.status, wrong.data.error.code]).toEqual([400, 400]);

    const query = new URLSearchParams({
      client_id: CLIENT.clientId,
      redirect_uri: REDIRECT,
      response_type: 'code',
      scope: 'openid https://www.googleapis.com/auth/calendar.events',
      access_type: 'offline',
      state: 's',
    });
    const consent = await admin<{ location: string }>('POST', 'consent', {
      url: `${url}/o/oauth2/v2/auth?${query}`,
      account: ADA,
      untick: ['calendar.events'],
    });
    const answer = new URL(consent.data.location).searchParams;
    expect([answer.get('scope'), answer.get('state')]).toEqual(['openid', 's']);
    const elsewhere = await admin('POST', 'consent', { url: 'http://example.com/', account: ADA });
    expect(elsewhere.status).toBe(400);
    const secrets = await admin<{ secrets: string[] }>('GET', 'secrets');
    expect(secrets.data.secrets).toContain(answer.get('code'));
    const revoked = await admin<{ revoked: number }>('POST', 'revoke-grants', { email: ADA });
    expect(revoked.data).toEqual({ revoked: 1 });

    const requests = await admin<{ requests: { route: string; query: object }[] }>(
      'GET',
      'requests?route=auth',
    );
    expect(requests.data.requests[0]).toMatchObject({ route: 'auth', query: { state: 's' } });
    expect((await admin('DELETE', 'requests')).status).toBe(204);
    expect((await admin('GET', 'requests')).data).toEqual({ requests: [] });
  });

  test('faults, clock, switches, accounts, clients and shares', async () => {
    const rule = { route: 'token', times: 2, fault: { kind: 'status', status: 503 } };
    const { data, status } = await admin<{ id: string }>('POST', 'faults', rule);
    expect(status).toBe(201);
    expect((await fetch(`${url}/token`, { method: 'POST' })).status).toBe(503);
    expect((await admin('GET', 'faults')).data).toEqual({
      faults: [{ ...rule, ...data, hits: 1 }],
    });
    expect((await admin('DELETE', `faults/${data.id}`)).status).toBe(204);
    expect((await fetch(`${url}/token`, { method: 'POST' })).status).toBe(400);
    for (const bad of [
      { route: 'token', fault: { kind: 'gremlin' } },
      { route: 'token', fault: { kind: 'status' } },
      { route: 'token', fault: { kind: 'status', status: 9 } },
      { route: 'token', fault: { kind: 'apiError', name: 'noSuch' } },
      { route: 'token', times: 'many', fault: { kind: 'reset' } },
      { fault: { kind: 'reset' } },
      {},
    ]) {
      expect([bad, (await admin('POST', 'faults', bad)).status]).toEqual([bad, 400]);
    }

    const before = (await admin<{ now: number }>('GET', 'clock')).data.now;
    const later = (await admin<{ now: number }>('POST', 'clock', { advance: 60_000 })).data.now;
    expect(later - before).toBeGreaterThanOrEqual(60_000);
    expect((await admin('POST', 'clock', { advance: -1 })).status).toBe(400);
    const set = await admin<{ now: number }>('POST', 'clock', { set: before });
    expect(set.data.now - before).toBeLessThan(5_000);

    const switches = await admin<{ switches: Record<string, { value: unknown }> }>(
      'GET',
      'switches',
    );
    expect(Object.keys(switches.data.switches)).toEqual(Object.keys(SWITCHES));
    expect(switches.data.switches.pushToLoopback?.value).toBe(true);
    expect((await admin('PATCH', 'switches', { garbageSyncToken: 400 })).data).toMatchObject({
      garbageSyncToken: 400,
    });
    for (const bad of [{ garbageSyncToken: 401 }, { nonsense: 1 }, { pushDropRate: '1' }]) {
      expect((await admin('PATCH', 'switches', bad)).status).toBe(400);
    }

    const calendars = [{ id: 'team@group.calendar.google.com', summary: 'Team' }];
    const account = { email: 'New@Example.com', calendars };
    expect((await admin('POST', 'accounts', account)).status).toBe(201);
    expect((await admin('POST', 'accounts', account)).status).toBe(400);
    const badZone = { email: 'x@example.com', timeZone: 'Mars/Olympus' };
    expect((await admin('POST', 'accounts', badZone)).status).toBe(400);
    const share = { calendarId: calendars[0]?.id, email: ADA, role: 'reader' };
    expect((await admin('POST', 'shares', share)).status).toBe(200);
    expect((await admin('POST', 'shares', { ...share, role: 'emperor' })).status).toBe(400);
    expect((await admin('POST', 'clients', { ...CLIENT, clientId: 'second' })).status).toBe(201);
    expect((await admin('POST', 'clients', { clientId: 'third' })).status).toBe(400);
    expect((await admin('GET', 'channels')).data).toEqual({ channels: [] });
    expect((await admin('POST', 'push-idle')).status).toBe(204);
  });

  test('pages show accounts, the week and the mail, with everything escaped', async () => {
    const pageOf = async (path: string) => {
      const response = await fetch(`${url}${path}`);
      expect(response.headers.get('content-type')).toContain('text/html');
      return { status: response.status, text: await response.text() };
    };
    const overview = await pageOf('/');
    expect(overview.text).toContain('Ada Lovelace');
    const week = await pageOf(`/calendar/${ADA}?week=2027-01-12`);
    expect(week.text).toContain('Team &#60;lunch&#62;');
    expect(week.text).not.toContain('Team <lunch>');
    expect((await pageOf(`/calendar/${ADA}?week=2027-02-12`)).text).not.toContain('Team');
    expect((await pageOf('/calendar/nobody@example.com')).status).toBe(404);
    expect((await pageOf('/mailbox')).status).toBe(200);
    expect((await pageOf(`/mailbox/${encodeURIComponent('<b>@x.example')}`)).text).not.toContain(
      '<b>@',
    );
  });

  test('open pages hear of changes at once', async () => {
    const stop = new AbortController();
    const stream = await fetch(`${url}/sandbox/live`, { signal: stop.signal });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('retry:');
    await admin('POST', 'events', {
      email: ADA,
      event: { start: { date: '2027-01-14' }, end: { date: '2027-01-15' } },
    });
    expect((await reader?.read())?.value).toContain('data: changed');
    stop.abort();
  });

  test.each([
    [['--port', 'x'], 'takes a number'],
    [['--seed', '/nowhere.json'], 'ENOENT'],
    [['--nonsense'], 'nonsense'],
  ])('a wrong start says why: %j', async (args, reason) => {
    const { ended, firstLine } = runCli(...args);
    expect(await firstLine).toContain(reason);
    expect(await ended).toBe(1);
  });

  test.each([
    ['{', 'not JSON'],
    [[], 'one JSON object'],
    [{ acounts: [] }, 'unknown key "acounts"'],
    [{ accounts: {} }, 'is a list'],
    [{ switches: { nonsense: true } }, 'no switch'],
    [{ accounts: [{ email: 'x' }] }, 'not an e-mail'],
  ])('a wrong seed file says what is wrong: %j', async (seed, reason) => {
    const { ended, firstLine } = runCli('--seed', await seedFile(seed));
    expect(await firstLine).toContain(reason);
    expect(await ended).toBe(1);
  });

  test('a port that is taken is an error, not a crash', async () => {
    const { ended, firstLine } = runCli('--port', new URL(url).port);
    expect(await firstLine).toContain('EADDRINUSE');
    expect(await ended).toBe(1);
  });
});
