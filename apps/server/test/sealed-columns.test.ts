import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealedColumns } from '../src/vault/sealed-columns.ts';
import { runCommand } from './support/command-line.ts';
import { type Browser, followCallback, openConsent } from './support/consent-visit.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { expectPage } from './support/pages.ts';
import { ringOf } from './support/sealed-connections.ts';
import { allFields } from './support/stored.ts';
import { openTestApp, type TestApp, testEnvironment } from './support/test-app.ts';

const [ada, grace] = ['ada@example.com', 'grace@example.com'];
/** An envelope, also within a longer text. */
const envelope = /\bv1\.([A-Za-z0-9-]{1,32})\.[\w-]{16}\.[\w-]{22,}/;

/** What the vault seals for is what its list of columns holds: the types see to that. */
describeOnEachDatabase('with a secret of every kind stored', (dialect) => {
  let server: TestApp;
  let asked: { browser: Browser; question: string };
  let underWay: { browser: Browser; consentUrl: string };

  /** The columns that hold envelopes, and the keys that these are under. */
  const envelopes = async () => {
    const keyIds = new Map<string, Set<string>>();
    for (const { table, column, text } of await allFields(server.database)) {
      const [, keyId] = envelope.exec(text) ?? [];
      const where = `${table}.${column}`;
      if (keyId) keyIds.set(where, (keyIds.get(where) ?? new Set()).add(keyId));
    }
    keyIds.delete('key_checks.envelope');
    return keyIds;
  };

  beforeAll(async () => {
    server = await openTestApp({ dialect, environment: ringOf('old', 'new') });
    const botId = await server.connectedBot(ada);
    const { browser, consentUrl } = await openConsent(server, botId);
    const callback = await server.sandbox.consent(consentUrl, { account: grace });
    const answer = await followCallback(server, browser, callback);
    asked = { browser, question: answer.headers.get('location') ?? '' };
    underWay = await openConsent(server, await server.connectedBot(ada));
  });
  afterAll(() => server.close());

  test('every column with envelopes is one that is rotated', async () => {
    const listed = sealedColumns.map(({ table, column }) => `${table}.${column}`);
    expect([...(await envelopes()).keys()].sort()).toEqual(listed.sort());
  });

  test('all of them are rotated, and serve a server that runs as before', async () => {
    const { database, sandbox } = server;
    const ring = ringOf('new', 'old');
    await (await openTestApp({ dialect, database, sandbox, environment: ring })).close();
    const environment = { ...testEnvironment(sandbox, database.url, server.url), ...ring };
    const rotation = await runCommand(['rotate-keys'], environment);
    expect(rotation).toMatchObject({ code: 0, stderr: '' });
    for (const [where, keyIds] of await envelopes())
      expect([where, ...keyIds]).toEqual([where, 'new']);

    const question = await server.send(asked.question, {
      headers: { cookie: String(asked.browser.cookie) },
    });
    expectPage(question, 200, 'Use another account?', ada, grace);
    const [replace] = /\/connect\/replace\/[\w-]+/.exec(question.text) ?? [];
    const replaced = await server.send(String(replace), {
      method: 'POST',
      headers: { cookie: String(asked.browser.cookie) },
    });
    expectPage(replaced, 200, grace);
    const callback = await sandbox.consent(underWay.consentUrl, { account: ada });
    expectPage(await followCallback(server, underWay.browser, callback), 200, ada);
  });
});
