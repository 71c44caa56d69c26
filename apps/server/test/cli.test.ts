import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKeyScopes } from '@calhook/contract';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand as run } from './support/command-line.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp, testEnvironment } from './support/test-app.ts';

const migrations = readdirSync(new URL('../src/db/migrations', import.meta.url))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

describe('the command line', () => {
  test('does not start without configuration, and names all that is missing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calhook-cli-'));
    const { code, stdout, stderr } = await run(['serve'], {}, directory);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    for (const variable of [
      'CALHOOK_PUBLIC_URL',
      'CALHOOK_ENCRYPTION_KEYS',
      'CALHOOK_GOOGLE_CLIENT_ID',
      'CALHOOK_GOOGLE_CLIENT_SECRET',
    ]) {
      expect(stderr).toMatch(
        new RegExp(`${variable} is missing\\n\\s+what for: .+\\n\\s+example: .+`),
      );
    }
    expect(stderr).not.toContain('    at ');
    await rm(directory, { recursive: true });
  });

  test.each([
    [['fly'], 'There is no command "fly"'],
    [['keys'], 'calhook <command>'],
    [['keys', 'create'], 'needs --name'],
    [['keys', 'create', '--colour'], 'Unknown option'],
    [['keys', 'create', '--name', 'x', '--scopes', 'fly'], '"fly" is no scope'],
    [['keys', 'create', '--name', 'x', '--scopes', ''], '"" is no scope'],
    [['keys', 'create', '--name', 'x', '--bots', ''], '"" is no bot id'],
    [['keys', 'create', '--name', 'x', '--bots', 'bot-a,Bot B'], '"Bot B" is no bot id'],
    [['keys', 'create', '--name', 'x', '--expires', ''], '"" is no end'],
    [['keys', 'create', '--name', 'x', '--expires', '90'], '"90" is no end'],
    [['keys', 'create', '--name', 'x', '--expires', '2999-01-31'], 'is no end'],
    [['keys', 'create', '--name', 'x', '--expires', '2999-02-30T00:00:00Z'], 'is no end'],
    [['keys', 'create', '--name', 'x', '--expires', '2020-01-31T00:00:00Z'], 'is over already'],
    [['keys', 'revoke', 'nobody'], 'There is no active key "nobody"'],
    [['demo', '--port', 'x'], '--port must be a number'],
    [['rotate-keys', '--batch', '0'], '--batch must be a number'],
    [['rotate-keys', '--batch', '1e3'], '--batch must be a number'],
    [['rotate-keys', '--batch', '10001'], '--batch must be a number'],
    [['rotate-keys', '--fly'], 'Unknown option'],
  ])('says what is wrong with %j', async (args, message) => {
    const database = await createTestDatabase('sqlite');
    const { code, stderr, stdout } = await run(args, environmentOf(database));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    await database.drop();
  });

  test('helps', async () => {
    const { code, stdout } = await run(['help'], {});
    expect(code).toBe(0);
    expect(stdout).toContain('keys revoke ID');
    expect(stdout).toContain('CALHOOK_ENCRYPTION_KEYS');
  });
});

function environmentOf(database: TestDatabase): Record<string, string> {
  return {
    CALHOOK_PUBLIC_URL: 'http://127.0.0.1:1',
    CALHOOK_DATABASE_URL: database.url,
    CALHOOK_ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    CALHOOK_GOOGLE_CLIENT_ID: 'id',
    CALHOOK_GOOGLE_CLIENT_SECRET: 'secret',
  };
}

describeOnEachDatabase('beside a running server', (dialect) => {
  let server: TestApp;
  let environment: Record<string, string>;
  let botId: string;
  beforeAll(async () => {
    server = await openTestApp({ dialect });
    environment = testEnvironment(server.sandbox, server.database.url, server.url);
    botId = await server.connectedBot();
  });
  afterAll(() => server.close());

  const statusWith = async (key: string) =>
    (await server.call('GET', `/api/calendar/status/${botId}`, undefined, key)).status;

  test('keys are created, listed and revoked', async () => {
    const name = ['keys', 'create', '--name', 'n8n'];
    const created = await run(
      [...name, '--scopes', 'status:read, appointments:write', '--bots', botId],
      environment,
    );
    expect(created).toMatchObject({ code: 0, stderr: '' });
    const [key = ''] = created.stdout.split('\n');
    const id = key.split('_')[1] ?? '';
    expect(key).toMatch(/^chk_[a-z0-9]{12}_[\w-]{43}$/);
    expect(await statusWith(key)).toBe(200);
    const listed = await run(['keys', 'list'], environment);
    const line = listed.stdout.split('\n').find((text) => text.startsWith(id));
    expect(line?.split('\t').slice(0, 5)).toEqual([
      id,
      'active',
      'n8n',
      'status:read,appointments:write',
      botId,
    ]);
    expect(listed.stdout).not.toContain(key);
    const revoked = await run(['keys', 'revoke', id], environment);
    expect(revoked).toEqual({ code: 0, stdout: `Revoked ${id}.\n`, stderr: '' });
    await vi.waitFor(async () => expect(await statusWith(key)).toBe(401), 5_000);
    expect((await run(['keys', 'list'], environment)).stdout).toContain(`${id}\trevoked`);
    expect((await run(['keys', 'revoke', id], environment)).code).toBe(1);
  });

  test.each([
    ['30d', Date.now() + 30 * 86_400_000],
    ['2999-01-31T00:00:00+01:00', Date.parse('2999-01-30T23:00:00Z')],
  ])('a key that ends in %s says so, and is listed as expired after it', async (text, end) => {
    const create = ['keys', 'create', '--name', 'short', '--expires', text];
    const [, id = ''] = (await run(create, environment)).stdout.split('_');
    const lineOf = async () =>
      (await run(['keys', 'list'], environment)).stdout
        .split('\n')
        .find((line) => line.startsWith(id));
    const [row] = await runSql(
      server.database,
      `select expires_at from api_keys where id = '${id}'`,
    );
    expect(Math.abs(Number(row?.expires_at) - end)).toBeLessThan(10 * 60_000);
    const ends = new Date(Number(row?.expires_at)).toISOString();
    expect(await lineOf()).toMatch(new RegExp(`\tactive\t.*\texpires ${ends}$`));
    await runSql(server.database, `update api_keys set expires_at = 1 where id = '${id}'`);
    expect(await lineOf()).toMatch(/\texpired\t/);
  });

  test('a key without further words has all scopes and all bots', async () => {
    const { stdout } = await run(['keys', 'create', '--name', 'all'], environment);
    const [key = ''] = stdout.split('\n');
    const list = await server.call('GET', '/api/keys', undefined, key);
    expect(list.body.apiKeys).toContainEqual(
      expect.objectContaining({ name: 'all', scopes: [...apiKeyScopes], botIds: null }),
    );
  });
});

describeOnEachDatabase('migrating', (dialect) => {
  test('makes the tables once', async () => {
    const database = await createTestDatabase(dialect);
    const environment = environmentOf(database);
    expect(await run(['migrate'], environment)).toEqual({
      code: 0,
      stdout: migrations.map((name) => `${name}\n`).join(''),
      stderr: '',
    });
    expect(await run(['migrate'], environment)).toEqual({
      code: 0,
      stdout: 'Nothing to do.\n',
      stderr: '',
    });
    expect(await runSql(database, 'select * from bots')).toEqual([]);
    await database.drop();
  });
});
