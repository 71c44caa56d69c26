import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { diagnose } from '../src/doctor/doctor.ts';
import type { Finding, Mark } from '../src/doctor/finding.ts';
import { judgePublicUrl } from '../src/doctor/public-url.ts';
import { hasFault } from '../src/doctor/report.ts';
import { runChecks } from '../src/doctor/run-checks.ts';
import { createTestDatabase, type TestDatabase } from './support/databases.ts';
import { freePorts } from './support/free-ports.ts';
import { selfSigned } from './support/self-signed.ts';
import { startSmtpServer } from './support/smtp-server.ts';
import { oauthClient, testEnvironment } from './support/test-app.ts';

let database: TestDatabase;
let sandbox: Sandbox;
let publicUrl: string;

beforeAll(async () => {
  database = await createTestDatabase('sqlite');
  publicUrl = `http://127.0.0.1:${await freePorts()}`;
  sandbox = await startSandbox();
  sandbox.addClient({ ...oauthClient, redirectUris: [`${publicUrl}/oauth/google/callback`] });
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});
afterEach(() => sandbox.faults.clear());

interface Examination {
  readonly byName: Readonly<Record<string, Finding>>;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  readonly failed: boolean;
}

async function examine(
  environment: Record<string, string> = {},
  { timeoutMs = 5_000, aheadMs = 0 } = {},
): Promise<Examination> {
  const config = readConfig({
    ...testEnvironment(sandbox, database.url, publicUrl),
    ...environment,
  });
  const now = () => sandbox.clock.now() + aheadMs;
  const findings = await diagnose(config, { timeoutMs, now });
  // Whatever one check finds, all others are there.
  expect(findings).toHaveLength(15);
  for (const { mark, remedy } of findings) expect(remedy === undefined).toBe(mark === 'ok');
  const text = JSON.stringify(findings);
  expect(text).not.toContain(oauthClient.clientSecret);
  expect(text).not.toContain('a-secret');
  const withMark = (mark: Mark) =>
    findings.filter((finding) => finding.mark === mark).map(({ check }) => check);
  return {
    byName: Object.fromEntries(findings.map((finding) => [finding.check, finding])),
    faults: withMark('fault'),
    warnings: withMark('warning'),
    failed: hasFault(findings),
  };
}

/** No server runs here, and the database is not made yet; the rest is right. */
const usualWarnings = ['database', 'tables', 'reachable'];

test('what is right is told so', async () => {
  const { faults, warnings, failed } = await examine();
  expect({ faults, warnings, failed }).toEqual({
    faults: [],
    warnings: usualWarnings,
    failed: false,
  });
});

describe('Google', () => {
  test('is asked for nothing that leaves a trace', async () => {
    sandbox.requests.clear();
    await examine();
    const asked = [...sandbox.requests].map(({ route, status }) => `${route} ${status}`);
    expect(asked.sort()).toEqual(['auth 200', 'events.list 401', 'token 400', 'userinfo 401']);
    expect(sandbox.issuedSecrets()).toEqual([]);
  });

  // As Google redirects to its error page: a message whose first field is the error.
  const errorPage = (error: string) => {
    const message = Buffer.from(`\n${String.fromCharCode(error.length)}${error}\x12\x02No`);
    return `https://accounts.google.com/signin/oauth/error?authError=${message.toString('base64url')}`;
  };

  test.each<[string, Record<string, string>, string[], string, string]>([
    [
      'another client secret',
      { CALHOOK_GOOGLE_CLIENT_SECRET: 'a-secret-of-others' },
      ['Google client'],
      'Google client',
      'Google does not accept the client secret',
    ],
    [
      'another client id',
      { CALHOOK_GOOGLE_CLIENT_ID: 'nobody' },
      ['Google client'],
      'redirect URI',
      'cannot be told: Google does not know the client id',
    ],
    [
      'a public URL that is not registered',
      { CALHOOK_PUBLIC_URL: 'http://127.0.0.1:9' },
      ['redirect URI'],
      'redirect URI',
      'http://127.0.0.1:9/oauth/google/callback is not registered with the client',
    ],
    [
      'a token endpoint that is not there',
      { CALHOOK_GOOGLE_TOKEN_URL: 'http://127.0.0.1:9/token' },
      ['Google client'],
      'Google client',
      '127.0.0.1:9 cannot be reached: nothing listens there',
    ],
    [
      'an API that is not there',
      // An empty label: refused by the resolver of this machine, without a network.
      { CALHOOK_GOOGLE_API_URL: 'http://calhook..invalid' },
      ['Calendar API'],
      'Calendar API',
      'calhook..invalid cannot be reached: its name cannot be resolved',
    ],
  ])('with %s', async (_, environment, faults, check, message) => {
    const found = await examine(environment);
    expect(found.faults).toEqual(faults);
    expect(found.byName[check]?.message).toBe(message);
    expect(found.failed).toBe(true);
  });

  type Fault = Parameters<Sandbox['faults']['add']>[0]['fault'];
  test.each<[string, Fault, string, Mark, string]>([
    ['token', { kind: 'status', status: 503 }, 'Google client', 'warning', 'answers 503'],
    ['token', { kind: 'html', status: 502 }, 'Google client', 'warning', 'answers 502'],
    ['token', { kind: 'status', status: 429 }, 'Google client', 'warning', 'answers 429'],
    ['token', { kind: 'reset' }, 'Google client', 'fault', 'the connection was cut'],
    ['token', { kind: 'hang', ms: 60_000 }, 'Google client', 'fault', 'no answer in time'],
    [
      'token',
      { kind: 'oauthError', error: 'deleted_client', status: 401 },
      'Google client',
      'fault',
      'no longer in use at Google (deleted_client)',
    ],
    [
      'token',
      { kind: 'oauthError', error: 'invalid_request' },
      'Google client',
      'fault',
      'Google refuses the client (invalid_request)',
    ],
    [
      'auth',
      { kind: 'status', status: 302, headers: { location: errorPage('redirect_uri_mismatch') } },
      'redirect URI',
      'fault',
      'is not registered with the client',
    ],
    [
      'auth',
      { kind: 'status', status: 302, headers: { location: errorPage('invalid_client') } },
      'redirect URI',
      'warning',
      'Google does not know the client id',
    ],
    [
      'auth',
      { kind: 'status', status: 302, headers: { location: errorPage('something_new') } },
      'redirect URI',
      'fault',
      'an error instead of the consent page (unknown)',
    ],
    [
      'auth',
      {
        kind: 'status',
        status: 302,
        headers: { location: 'https://accounts.google.com/v3/signin/identifier?flowName=x' },
      },
      'redirect URI',
      'ok',
      'Google takes',
    ],
    [
      'auth',
      { kind: 'status', status: 200, body: '<p>Error 400: invalid_scope</p>' },
      'redirect URI',
      'fault',
      '(invalid_scope)',
    ],
    ['auth', { kind: 'status', status: 500 }, 'redirect URI', 'warning', 'answers 500'],
    ['auth', { kind: 'reset' }, 'redirect URI', 'fault', 'the connection was cut'],
    ['events.list', { kind: 'status', status: 503 }, 'Calendar API', 'warning', 'answers 503'],
    ['events.list', { kind: 'html', status: 404 }, 'Calendar API', 'fault', 'answers 404'],
    ['userinfo', { kind: 'hang', ms: 60_000 }, 'account lookup', 'fault', 'no answer in time'],
  ])('whose %s answers %j', async (route, fault, check, mark, message) => {
    sandbox.faults.add({ route, fault });
    const timeoutMs = fault.kind === 'hang' ? 2_500 : 5_000;
    const { byName, faults, failed } = await examine({}, { timeoutMs });
    expect(byName[check]).toMatchObject({ mark, message: expect.stringContaining(message) });
    expect(faults).toEqual(mark === 'fault' ? [check] : []);
    expect(failed).toBe(mark === 'fault');
  });

  test.each<[number, Mark, string]>([
    [0, 'ok', 'within 0 s'],
    [4_000, 'ok', 'within 4 s'],
    [20_000, 'warning', "20 s ahead of Google's"],
    [-20_000, 'warning', "20 s behind Google's"],
    [90_000, 'fault', "90 s ahead of Google's"],
    [-7_200_000, 'fault', "7200 s behind Google's"],
  ])('with a clock that is %d ms ahead of it', async (aheadMs, mark, message) => {
    const { byName, faults } = await examine({}, { aheadMs });
    const [, seconds = ''] = /(\d+) s/.exec(message) ?? [];
    const [, told = ''] = /(\d+) s/.exec(byName.clock?.message ?? '') ?? [];
    // The header is whole seconds.
    expect(Math.abs(Number(told) - Number(seconds))).toBeLessThanOrEqual(1);
    expect(byName.clock?.mark).toBe(mark);
    expect(byName.clock?.message.replace(told, '')).toContain(message.replace(seconds, ''));
    expect(faults).toEqual(mark === 'fault' ? ['clock'] : []);
  });

  test('tells the time even where the token endpoint does not answer', async () => {
    sandbox.faults.add({ route: 'token', fault: { kind: 'reset' } });
    expect((await examine()).byName.clock?.mark).toBe('ok');
  });
});

describe('a public URL', () => {
  test.each<[string, Mark, string]>([
    ['https://calendar.example.com', 'ok', 'over HTTPS'],
    ['http://localhost:8080', 'ok', 'this machine alone'],
    ['http://127.0.0.1:8080', 'ok', 'this machine alone'],
    ['http://[::1]:8080', 'ok', 'this machine alone'],
    ['http://calendar.example.com', 'fault', 'is not HTTPS'],
    ['http://192.168.1.5:8080', 'fault', 'is not HTTPS'],
    ['https://192.0.2.7', 'fault', 'is an IP address'],
    ['https://[2001:db8::1]', 'fault', 'is an IP address'],
    ['https://calendar', 'fault', 'not under a public domain'],
    ['https://calendar.local', 'fault', 'not under a public domain'],
    ['https://calendar.office.internal', 'fault', 'not under a public domain'],
  ])('%s is judged', (url, mark, message) => {
    expect(judgePublicUrl(url)).toMatchObject({ mark, message: expect.stringContaining(message) });
  });

  /** Asks doctor about a server that answers in this way. */
  async function reachableAt(answer: RequestListener, tls = false): Promise<Finding | undefined> {
    const server = tls ? createTlsServer(selfSigned, answer) : createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const origin = `${tls ? 'https' : 'http'}://localhost:${port}`;
    const { byName } = await examine({ CALHOOK_PUBLIC_URL: origin }, { timeoutMs: 2_500 });
    server.closeAllConnections();
    server.close();
    return byName.reachable;
  }

  test.each<[string, RequestListener, Mark, string]>([
    ['as Calhook', (_, reply) => reply.end('{"status":"ready"}'), 'ok', 'Calhook answers'],
    ['as something else', (_, reply) => reply.end('<h1>It works</h1>'), 'fault', 'something else'],
    ['with nothing there', (_, reply) => reply.writeHead(404).end(), 'fault', '(404)'],
    ['with a bad gateway', (_, reply) => reply.writeHead(502).end(), 'warning', 'answers 502'],
    [
      'with another origin',
      (_, reply) => reply.writeHead(301, { location: 'https://www.example.com/a-secret' }).end(),
      'fault',
      'redirects to https://www.example.com',
    ],
    [
      'with a login page',
      (_, reply) => reply.writeHead(302, { location: '/login?next=a-secret' }).end(),
      'fault',
      'redirects to http://localhost',
    ],
    ['with silence', () => {}, 'warning', 'no answer in time'],
  ])('may answer %s', async (_, answer, mark, message) => {
    expect(await reachableAt(answer)).toMatchObject({
      mark,
      message: expect.stringContaining(message),
    });
  });

  test('may have a certificate that nobody trusts', async () => {
    const found = await reachableAt((_, reply) => reply.end('{"status":"ready"}'), true);
    expect(found).toMatchObject({
      mark: 'fault',
      message: expect.stringContaining('its certificate is self-signed'),
    });
  });
});

describe('a mail server', () => {
  const login = { user: 'calhook', password: 'a-secret/of mail' };
  const credentials = `calhook:${encodeURIComponent(login.password)}`;
  // An address of this machine that does not look like one, so that TLS counts.
  const elsewhere = '127.1';
  const plain = { ...login };
  const withTls = { ...login, offersTls: true };

  test.each<[string, Parameters<typeof startSmtpServer>[0], string, Mark, string]>([
    ['that is right', plain, `smtp://${credentials}@127.0.0.1`, 'ok', 'accepts the login'],
    ['without a login', plain, 'smtp://127.0.0.1', 'ok', 'answers'],
    ['with another login', plain, 'smtp://calhook:a-secret@127.0.0.1', 'fault', 'the login (535)'],
    ['without TLS', plain, `smtp://${credentials}@${elsewhere}`, 'warning', 'offers no TLS'],
    [
      'without TLS, with another login',
      plain,
      `smtp://calhook:a-secret@${elsewhere}`,
      'fault',
      'the login (535)',
    ],
    [
      'that takes no login',
      { ...login, offersLogin: false },
      `smtp://${credentials}@127.0.0.1`,
      'fault',
      'the login (502)',
    ],
    ['that nobody trusts', withTls, `smtp://${credentials}@localhost`, 'fault', 'self-signed'],
    ['that is asked for TLS too early', plain, 'smtps://127.0.0.1', 'fault', 'not speak TLS'],
    ['that is none', { ...login, greeting: 'HTTP/1.1 400' }, 'smtp://127.0.0.1', 'fault', 'SMTP'],
    ['that is silent', { ...login, greeting: null }, 'smtp://127.0.0.1', 'fault', 'in time'],
  ])('%s', async (_, options, url, mark, message) => {
    const server = await startSmtpServer(options);
    const found = await examine(
      { CALHOOK_SMTP_URL: `${url}:${server.port}`, CALHOOK_MAIL_FROM: 'a@example.com' },
      { timeoutMs: 2_500 },
    );
    await server.close();
    expect(found.byName['mail server']).toMatchObject({
      mark,
      message: expect.stringContaining(message),
    });
    expect(found.faults).toEqual(mark === 'fault' ? ['mail server'] : []);
    expect(server.commands).not.toContain('MAIL');
  });

  test.each<[Record<string, string>, Mark, string]>([
    [{}, 'ok', 'not set'],
    [{ CALHOOK_MAIL_FROM: 'a@example.com' }, 'warning', 'no effect'],
    [{ CALHOOK_SMTP_URL: 'smtp://127.0.0.1:9' }, 'fault', 'needs a sender'],
  ])('and its sender: %j', async (environment, mark, message) => {
    const { byName } = await examine(environment);
    expect(byName['mail sender']).toMatchObject({
      mark,
      message: expect.stringContaining(message),
    });
  });
});

test('a check that hangs or breaks takes no other along, and tells no message of others', async () => {
  const findings = await runChecks(
    [
      { name: 'hanging', look: () => new Promise(() => {}) },
      { name: 'broken', look: () => Promise.reject(new TypeError('a-secret')) },
      { name: 'right', look: async () => ({ mark: 'ok', message: 'fine' }) },
    ],
    50,
  );
  expect(findings).toEqual([
    expect.objectContaining({
      check: 'hanging',
      mark: 'fault',
      message: 'no answer within 0.05 s',
    }),
    expect.objectContaining({
      check: 'broken',
      mark: 'fault',
      message: 'could not be looked at (TypeError)',
    }),
    { check: 'right', mark: 'ok', message: 'fine' },
  ]);
});
