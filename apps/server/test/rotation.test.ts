import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../src/db/index.ts';
import { rotateKeys } from '../src/vault/rotation.ts';
import { book, bookingOf } from './support/bookings.ts';
import { runCommand, startCommand } from './support/command-line.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { copyConnection, keyUse, openVaultOf, ringOf } from './support/sealed-connections.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, startOfTests, type TestApp, testEnvironment } from './support/test-app.ts';

const hour = 3_600_000;
const ada = 'ada@example.com';
/** Connections that are rotated while bookings run, with two secrets each. */
const connections = process.env.CALHOOK_LONG ? 100_000 : 2_000;

/** As in production: a machine that is busy with much else makes bookings late, not failed. */
const retry = { budgetMs: 8_000, firstPauseMs: 200, maxPauseMs: 2_000 };

describeOnEachDatabase('rotating the encryption key', (dialect) => {
  let file: TestDatabase;
  let sandbox: Sandbox;
  let botId: string;
  const opened: TestApp[] = [];

  const serve = async (...keyIds: string[]) => {
    const environment = ringOf(...keyIds);
    const server = await openTestApp({ dialect, database: file, sandbox, environment, retry });
    opened.push(server);
    return server;
  };
  const stop = async (server: TestApp) => {
    opened.splice(opened.indexOf(server), 1);
    await server.close();
  };
  const environmentOf = (...keyIds: string[]) => ({
    ...testEnvironment(sandbox, file.url, 'http://127.0.0.1:1'),
    ...ringOf(...keyIds),
  });
  const rotate = (keyIds: string[], ...args: string[]) =>
    runCommand(['rotate-keys', ...args], environmentOf(...keyIds));
  const checks = async () =>
    (await runSql(file, 'select key_id from key_checks order by key_id')).map(
      ({ key_id: keyId }) => keyId,
    );

  beforeEach(async () => {
    file = await createTestDatabase(dialect);
    sandbox = await startSandbox({ accounts: [{ email: ada }], now: startOfTests });
    const server = await serve('old');
    botId = await server.connectedBot();
    await stop(server);
    // Only the two tokens are left, which makes for easy counting.
    await runSql(file, 'delete from consent_steps');
  });
  afterEach(async () => {
    for (const server of [...opened]) await stop(server);
    await sandbox.close();
    await file.drop();
  });

  test('fails no booking, and goes on where it was killed', { timeout: 600_000 }, async () => {
    const botIds = await copyConnection(file, botId, 'old', connections);
    const servers = [await serve('new', 'old'), await serve('new', 'old')];
    let confirmed = 0;
    const failed: string[] = [];
    let running = true;
    let booked = 0;
    const bookOn = async (server: TestApp) => {
      while (running) {
        const bot = String(botIds[(booked++ * 7_919) % botIds.length]);
        const { status, text } = await book(server, bot, bookingOf());
        if (status === 201) confirmed++;
        else failed.push(text);
        // Tokens end meanwhile, so servers store new ones in rows that are being rotated.
        if (booked % 25 === 0) sandbox.clock.advance(hour);
      }
    };
    const bookings = Promise.all([...servers, ...servers].map(bookOn));

    await expect.poll(() => confirmed).toBeGreaterThan(0);
    const batch = String(connections / 400);
    const first = startCommand(['rotate-keys', '--batch', batch], environmentOf('new', 'old'));
    await first.printed(/^30 %/m);
    first.kill();
    expect(await first.ended).toMatchObject({ code: null });
    const atKill = await keyUse(file);
    expect(atKill.new).toBeGreaterThan(connections / 2);
    expect(atKill.old).toBeGreaterThan(connections / 2);
    const confirmedAtKill = confirmed;

    const second = await rotate(['new', 'old']);
    await expect.poll(() => confirmed).toBeGreaterThan(confirmedAtKill);
    running = false;
    await bookings;
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain('100 %');
    expect(second.stdout).toContain('No other key is needed any more');
    // It took up where the first one stopped.
    const [, resealed = ''] = /Encrypted ([\d,]+) anew/.exec(second.stdout) ?? [];
    expect(Number(resealed.replaceAll(',', ''))).toBeLessThanOrEqual(atKill.old ?? 0);
    expect(await keyUse(file)).toEqual({ new: 2 * (connections + 1) });
    expect(failed).toEqual([]);

    for (const server of servers) await stop(server);
    const after = await serve('new');
    for (const bot of [botId, botIds[0], botIds.at(-1)]) {
      expect((await book(after, String(bot), bookingOf({ timeZone: 'UTC' }))).status).toBe(201);
    }
  });

  test('tells how many secrets are under which key', async () => {
    await copyConnection(file, botId, 'old', 3);
    const ofOld = await rotate(['old'], '--status');
    expect(ofOld).toEqual({
      code: 0,
      stdout: 'old: 8  (active)\nNothing to rotate.\n',
      stderr: '',
    });
    const both = await rotate(['new', 'old'], '--status');
    expect(both).toMatchObject({ code: 0, stdout: 'new: 0  (active)\nold: 8\n8 to rotate.\n' });
    const without = await rotate(['new'], '--status');
    expect(without.stdout).toContain('old: 8  (not in the ring)');
  });

  test('changes nothing when it is tried out, and says what it would do', async () => {
    await stop(await serve('new', 'old'));
    const before = await runSql(file, 'select * from google_tokens');
    const tried = await rotate(['new', 'old'], '--dry-run');
    expect(tried).toMatchObject({ code: 0, stderr: '' });
    expect(tried.stdout).toContain('Dry run: 2 would be encrypted anew under "new".');
    expect(await runSql(file, 'select * from google_tokens')).toEqual(before);
  });

  test('waits until a server knows the new key, unless none runs', async () => {
    const early = await rotate(['new', 'old']);
    expect(early).toMatchObject({ code: 1, stdout: '' });
    expect(early.stderr).toContain('No server has been started yet with "new" first');
    expect(early.stderr).not.toContain('    at ');
    expect(await keyUse(file)).toEqual({ old: 2 });
    expect(await rotate(['new', 'old'], '--offline')).toMatchObject({ code: 0, stderr: '' });
    expect(await keyUse(file)).toEqual({ new: 2 });
  });

  test('is not over while a server still encrypts under the old key', async () => {
    const late = await serve('old', 'new');
    await stop(await serve('new', 'old'));
    expect(await rotate(['new', 'old'])).toMatchObject({ code: 0 });
    sandbox.clock.advance(hour);
    expect((await book(late, botId, bookingOf())).status).toBe(201);
    expect(await keyUse(file)).toEqual({ old: 2 });
    await expect(serve('new')).rejects.toThrow(
      'lacks the key "old", under which 2 stored secrets are encrypted',
    );
    await stop(late);
    expect(await rotate(['new', 'old'])).toMatchObject({ code: 0 });
    const server = await serve('new');
    expect((await book(server, botId, bookingOf())).status).toBe(201);
  });

  test('lets a key go that nothing is under, and remembers no more of it', async () => {
    await stop(await serve('new', 'old'));
    expect(await checks()).toEqual(['new', 'old']);
    await rotate(['new', 'old']);
    await stop(await serve('new'));
    expect(await checks()).toEqual(['new']);
    // The id is free again, for other bytes as well.
    await stop(await serve('old', 'new'));
    expect(await checks()).toEqual(['new', 'old']);
  });

  test('a start reads no secret while every key is in the ring', async () => {
    await stop(await serve('new', 'old'));
    await runSql(file, 'alter table google_tokens rename to hidden');
    for (const keyIds of [
      ['new', 'old'],
      ['old', 'new'],
      ['newest', 'new', 'old'],
    ]) {
      const { close } = await openVaultOf(file, ...keyIds);
      await close();
    }
    // It would have failed had it looked, as it has to when a key is missing.
    await expect(openVaultOf(file, 'new')).rejects.toThrow('google_tokens');
    await runSql(file, 'alter table hidden rename to google_tokens');
  });

  test('names the secrets that do not open, and encrypts the others', async () => {
    const [moved = '', kept = ''] = await copyConnection(file, botId, 'old', 2);
    await runSql(
      file,
      `update google_tokens set access_token = refresh_token where client_id = '${moved}'`,
    );
    await stop(await serve('new', 'old'));
    const { code, stdout, stderr } = await rotate(['new', 'old']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `google_tokens.access_token of ${moved} does not open: it was changed, or belongs elsewhere\n`,
    );
    expect(stdout).toContain('1 could not be opened');
    expect(stdout).not.toContain('No other key');
    expect(stdout).not.toContain('v1.');
    expect(await keyUse(file)).toEqual({ old: 1, new: 5 });
    const server = await serve('new', 'old');
    expect((await book(server, kept, bookingOf())).status).toBe(201);
  });

  test('never puts an older secret in the place of a newer one', async () => {
    const botIds = await copyConnection(file, botId, 'old', 20);
    const { vault, database, close } = await openVaultOf(file, 'new', 'old');
    const overtaken = botIds.filter((_, i) => i % 3 === 0);
    const renewed = new Map(
      overtaken.map((row) => [
        row,
        vault.seal({ table: 'google_tokens', row, column: 'access_token' }, 'newer'),
      ]),
    );
    let interfered = false;
    // The server's write falls between what the rotation read and what it writes.
    const racing = new Proxy(database, {
      get(target, property) {
        if (property !== 'transaction') return Reflect.get(target, property, target);
        const transaction: Database['transaction'] = async (work) => {
          if (!interfered) {
            interfered = true;
            for (const [row, envelope] of renewed) {
              await runSql(
                file,
                `update google_tokens set access_token = '${envelope}' where client_id = '${row}'`,
              );
            }
          }
          return target.transaction(work);
        };
        return transaction;
      },
    });
    const done: number[] = [];
    const report = await rotateKeys(racing, vault, {
      batch: 100,
      dryRun: false,
      onProgress: (count) => void done.push(count),
      onUnreadable: (error) => {
        throw error;
      },
    });
    expect(report).toEqual({
      resealed: 2 * 21 - overtaken.length,
      overtaken: overtaken.length,
      unreadable: 0,
    });
    expect(done).toEqual([21, 42]);
    const rows = await runSql(file, 'select client_id, access_token from google_tokens');
    for (const { client_id: id, access_token: envelope } of rows) {
      const newer = renewed.get(String(id));
      if (newer) expect(envelope).toBe(newer);
    }
    await close();
  });
});
