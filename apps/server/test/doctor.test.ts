import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { selfSigned } from './support/self-signed.ts';
import { type SmtpServer, startSmtpServer } from './support/smtp-server.ts';
import { dumpAllTables } from './support/stored.ts';
import { oauthClient, openTestApp, type TestApp, testEnvironment } from './support/test-app.ts';

const cli = new URL('../src/cli.ts', import.meta.url).pathname;
const smtpLogin = { user: 'calhook', password: 'an-smtp-password' };

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function doctor(environment: Record<string, string>, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const options = { env: environment, timeout: 25_000 };
    execFile(process.execPath, [cli, 'doctor', ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** The mark of each check of a report, by its name. */
function marksOf(report: string): Record<string, string> {
  const lines = report.matchAll(/^(ok|warning|fault) +(.+?) {2,}/gm);
  return Object.fromEntries([...lines].map(([, mark = '', check = '']) => [check, mark]));
}

const checks = {
  sqlite: ['database', 'tables', 'writing', 'disk space', 'write-ahead log', 'encryption keys'],
  postgres: ['database', 'tables', 'writing', 'btree_gist', 'encryption keys'],
};
const otherChecks = [
  'public URL',
  'reachable',
  'clock',
  'Google client',
  'redirect URI',
  'Calendar API',
  'account lookup',
  'mail server',
  'mail sender',
];

/** What lies on the disk, for SQLite; every row, for PostgreSQL. */
function everythingIn(database: TestDatabase): Promise<string> | string {
  if (database.dialect === 'postgres') return dumpAllTables(database);
  const directory = dirname(database.url.slice('sqlite:'.length));
  return readdirSync(directory)
    .map((name) => `${name} ${readFileSync(join(directory, name), 'base64')}`)
    .join('\n');
}

describeOnEachDatabase('calhook doctor', (dialect) => {
  // The clock of the machine: the command has no other.
  let sandbox: Sandbox;
  let server: TestApp;
  let smtp: SmtpServer;
  let directory: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    sandbox = await startSandbox({ accounts: [{ email: 'ada@example.com' }] });
    server = await openTestApp({ dialect, sandbox });
    await server.connectedBot();
    smtp = await startSmtpServer({ ...smtpLogin, offersTls: true });
    directory = await mkdtemp(join(tmpdir(), 'calhook-doctor-'));
    const trusted = join(directory, 'certificates.pem');
    await writeFile(trusted, selfSigned.cert);
    environment = {
      ...testEnvironment(sandbox, server.database.url, server.url),
      CALHOOK_SMTP_URL: `smtp://${smtpLogin.user}:${smtpLogin.password}@localhost:${smtp.port}`,
      CALHOOK_MAIL_FROM: 'Calendar <calendar@example.com>',
      NODE_EXTRA_CA_CERTS: trusted,
    };
  });
  afterAll(async () => {
    await server.close();
    await sandbox.close();
    await smtp.close();
    await rm(directory, { recursive: true });
  });

  test('finds nothing in a right setup, beside a running server', async () => {
    const before = await dumpAllTables(server.database);
    const run = await doctor(environment);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const names = [...checks[dialect], ...otherChecks];
    expect(marksOf(run.stdout)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])));
    expect(run.stdout).toContain(`\n${names.length} ok, 0 warnings, 0 faults\n`);
    expect(run.stdout).not.toContain('->');
    expect(await dumpAllTables(server.database)).toBe(before);
    // It logged in at the mail server and sent nothing.
    expect(smtp.commands).toContain('AUTH');
    expect(smtp.commands).not.toContain('MAIL');
  });

  test('tells faults by line and exit code, each with what to do, and no secret', async () => {
    const wrong = {
      CALHOOK_GOOGLE_CLIENT_SECRET: 'a-wrong-client-secret',
      CALHOOK_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 9).toString('base64')}`,
      CALHOOK_SMTP_URL: environment.CALHOOK_SMTP_URL?.replace('-password', '-passphrase') ?? '',
    };
    const run = await doctor({ ...environment, ...wrong });
    expect(run).toMatchObject({ code: 1, stderr: '' });
    const faults = Object.entries(marksOf(run.stdout)).filter(([, mark]) => mark === 'fault');
    expect(faults.map(([check]) => check)).toEqual([
      'encryption keys',
      'Google client',
      'mail server',
    ]);
    expect(run.stdout).toMatch(
      /fault +Google client +Google does not accept the client secret\n +-> /,
    );
    expect(run.stdout.match(/->/g)).toHaveLength(3);
    const ringBytes = [7, 9].map((byte) => Buffer.alloc(32, byte).toString('base64'));
    for (const secret of ['an-smtp-pass', 'client-secret', ...ringBytes]) {
      expect(run.stdout).not.toContain(secret);
    }
  });

  test('tells programs the same as JSON', async () => {
    const [right, wrong] = await Promise.all([
      doctor(environment, '--json'),
      doctor({ ...environment, CALHOOK_GOOGLE_CLIENT_ID: 'nobody' }, '--json'),
    ]);
    expect(right.code).toBe(0);
    const findings = [...checks[dialect], ...otherChecks].map((check) =>
      expect.objectContaining({ check, mark: 'ok' }),
    );
    expect(JSON.parse(right.stdout)).toEqual({ ok: true, findings });
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([
        {
          check: 'Google client',
          mark: 'fault',
          message: 'Google does not know the client id, or no longer (invalid_client)',
          remedy: expect.stringContaining('CALHOOK_GOOGLE_CLIENT_ID'),
        },
      ]),
    });
  });

  test('exits with 0 where it only warns: before the first start', async () => {
    const database = await createTestDatabase(dialect);
    const before = await everythingIn(database);
    const run = await doctor({ ...environment, CALHOOK_DATABASE_URL: database.url });
    expect(run.code).toBe(0);
    expect(marksOf(run.stdout)).toMatchObject({ tables: 'warning', writing: 'ok' });
    expect(await everythingIn(database)).toBe(before);
    await database.drop();
  });

  test('changes nothing in a database that no server uses', async () => {
    const database = await createTestDatabase(dialect);
    await (await openTestApp({ dialect, sandbox, database })).close();
    const before = await everythingIn(database);
    const run = await doctor({ ...environment, CALHOOK_DATABASE_URL: database.url });
    expect(marksOf(run.stdout)).toMatchObject({ database: 'ok', tables: 'ok', writing: 'ok' });
    expect(await everythingIn(database)).toBe(before);
    await database.drop();
  });
});

describe('calhook doctor without a configuration', () => {
  test('tells every variable that is to be set', async () => {
    const run = await doctor({ CALHOOK_GOOGLE_CLIENT_SECRET: oauthClient.clientSecret });
    expect(run).toMatchObject({ code: 1, stderr: '' });
    for (const name of ['PUBLIC_URL', 'ENCRYPTION_KEYS', 'GOOGLE_CLIENT_ID']) {
      expect(run.stdout).toMatch(
        new RegExp(`fault +configuration +CALHOOK_${name} is missing\\n +-> set it .+`),
      );
    }
    expect(run.stdout).toContain('3 faults');
    const { findings } = JSON.parse((await doctor({}, '--json')).stdout);
    expect(findings).toHaveLength(4);
  });
});
