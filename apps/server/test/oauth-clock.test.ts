import { startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestApp, type TestApp } from './support/test-app.ts';

// openid-client checks the id_token by the machine's clock unless it is told of another.
describe.each([
  ['before', Date.parse('2020-05-01T12:00:00Z')],
  ['after', Date.parse('2040-05-01T12:00:00Z')],
])('a clock far %s the machine’s', (_, now) => {
  let server: TestApp;
  beforeAll(async () => {
    const sandbox = await startSandbox({ accounts: [{ email: 'ada@example.com' }], now });
    server = await openTestApp({ dialect: 'sqlite', sandbox });
  });
  afterAll(async () => {
    await server.close();
    await server.sandbox.close();
    await server.database.drop();
  });

  test('connects', async () => {
    const botId = await server.connectedBot();
    const status = await server.call('GET', `/api/calendar/status/${botId}`);
    expect(status.body).toMatchObject({ connected: true, expired: false });
  });
});
