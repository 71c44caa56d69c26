import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { type ConnectionParts, Connections } from '../src/connections/connections.ts';
import { OperatorAlarm } from '../src/connections/operator-alarm.ts';
import { Refresh, refreshPolicy } from '../src/connections/refresh.ts';
import { findConnection } from '../src/connections/store.ts';
import type { DialectName } from '../src/db/dialect.ts';
import { type Database, openDatabase } from '../src/db/index.ts';
import { GoogleError, type GoogleOAuth } from '../src/google/index.ts';
import { openVault } from '../src/vault/index.ts';
import { createTestDatabase, describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';

const interleavings = 1_000;
/** Fewer, since who does not get the lease looks again in real time. */
const interleavingsOfTwo = 100;
/** How many bots are stored by one statement. */
const atOnce = 250;
const account = { sub: 'sub-ada', email: 'ada@example.com' };
const start = Date.parse('2026-01-12T08:00:00Z');

const grantOf = (token: string) => ({
  accessToken: `access-${token}`,
  refreshToken: `refresh-${token}`,
  expiresAt: start + 3_600_000,
  refreshTokenExpiresAt: null,
  scopes: ['openid'],
});

/** The database as one process sees it whose every transaction waits for its turn. */
const stepping = (database: Database, turn: () => Promise<unknown>): Database =>
  new Proxy(database, {
    get(target, property) {
      if (property !== 'transaction') return Reflect.get(target, property, target);
      const transaction: Database['transaction'] = async (work) => {
        await turn();
        return target.transaction(work);
      };
      return transaction;
    },
  });

/** A database with bots to race for. */
async function openRaces(dialect: DialectName) {
  const file = await createTestDatabase(dialect);
  const database = await openDatabase(file.url);
  const key = { id: 'test', bytes: Buffer.alloc(32, 7) };
  const vault = await openVault([key], database, () => start);
  const log = pino({ enabled: false });
  let bots = 0;
  const insertBots = async (ids: readonly string[]) => {
    await runSql(
      file,
      `insert into bots (id, name, time_zone, duration_minutes, allowed_origins, created_at, updated_at)
       values ${ids.map((id) => `('${id}', 'Race', 'UTC', 60, '[]', ${start}, ${start})`)}`,
    );
    const links = ids.flatMap((id) => [`('${id}-first', '${id}'`, `('${id}-second', '${id}'`]);
    await runSql(
      file,
      `insert into connect_links (token_hash, client_id, created_at, expires_at)
       values ${links.map((link) => `${link}, ${start}, ${start + 1_000})`)}`,
    );
  };
  return {
    database,
    /** A bot that is new, with the connect links `<id>-first` and `<id>-second`. */
    async nextBot() {
      if (bots % atOnce === 0) {
        await insertBots(Array.from({ length: atOnce }, (_, i) => `bot-${bots + i}`));
      }
      return `bot-${bots++}`;
    },
    /** What a process has. @param turn what each of its transactions waits for */
    partsOf: (oauth: GoogleOAuth, turn?: () => Promise<unknown>): ConnectionParts => ({
      database: turn ? stepping(database, turn) : database,
      vault,
      oauth,
      alarm: new OperatorAlarm(log, () => start),
      log,
      now: () => start,
    }),
    async close() {
      await database.close();
      await file.drop();
    },
  };
}

describeOnEachDatabase('a reconnect while a refresh is under way', (dialect) => {
  test('is what is stored, in every order of steps', { timeout: 300_000 }, async () => {
    const { database, nextBot, partsOf, close } = await openRaces(dialect);
    const orders = new Set<string>();

    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.constantFrom('refreshed', 'invalid_grant', 'unavailable'),
        async (scheduler, ending) => {
          const botId = await nextBot();
          const steps: string[] = [];
          /** Each transaction and each call to Google waits for its turn. */
          const turn = (step: string) => scheduler.schedule(Promise.resolve(), step);
          const oauth = {
            async refresh() {
              await turn('google');
              steps.push('google');
              if (ending === 'refreshed') return { ...grantOf('refreshed'), refreshToken: null };
              const kind = ending === 'invalid_grant' ? 'reauth' : 'transient';
              throw new GoogleError('token.refresh', { kind, status: 400, reason: ending });
            },
            revoke: async () => {},
          } as unknown as GoogleOAuth;
          const processOf = (who: string) =>
            partsOf(oauth, async () => {
              await turn(who);
              steps.push(who);
            });
          const plain = new Connections(partsOf(oauth));
          const first = { grant: grantOf('first'), account: { ...account, sub: botId } };
          const second = { grant: grantOf('second'), account: { ...account, sub: botId } };
          await plain.connect(botId, `${botId}-first`, first, null);
          const connection = await plain.requireUsable(botId);

          const refresh = new Refresh(processOf('refresh'), refreshPolicy);
          const owner = new Connections(processOf('owner'));
          const refreshed = (async () => {
            await turn('refresh begins');
            return refresh.renew(connection).catch((error) => error);
          })();
          const reconnected = (async () => {
            await turn('owner begins');
            return owner.connect(botId, `${botId}-second`, second, null);
          })();
          await scheduler.waitFor(Promise.all([refreshed, reconnected]));

          const stored = await new Connections(partsOf(oauth)).requireUsable(botId);
          expect(stored.refreshToken).toBe('refresh-second');
          expect([stored.status, stored.accessToken]).toEqual(['connected', 'access-second']);
          const row = await findConnection(database.read, botId);
          expect(row).toMatchObject({ lease_owner: null, refresh_failures: 0 });
          orders.add(`${ending}: ${steps.join(' ')}`);
        },
      ),
      { numRuns: interleavings },
    );
    // The schedules were not all the same one.
    expect(orders.size).toBeGreaterThanOrEqual(6);
    await close();
  });
});

describeOnEachDatabase('two processes that refresh at the same moment', (dialect) => {
  test('ask Google once, in every order of steps', { timeout: 120_000 }, async () => {
    const { nextBot, partsOf, close } = await openRaces(dialect);
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const botId = await nextBot();
        let asked = 0;
        const turn = (step: string) => scheduler.schedule(Promise.resolve(), step);
        const oauth = {
          async refresh() {
            asked++;
            await turn('google');
            return { ...grantOf(`of call ${asked}`), refreshToken: null };
          },
        } as unknown as GoogleOAuth;
        const connections = new Connections(partsOf(oauth));
        const first = { grant: grantOf('first'), account: { ...account, sub: botId } };
        await connections.connect(botId, `${botId}-first`, first, null);
        const connection = await connections.requireUsable(botId);
        const renewed = Promise.all(
          ['one', 'other'].map((who) => {
            const parts = partsOf(oauth, () => turn(who));
            return new Refresh(parts, refreshPolicy).renew(connection);
          }),
        );
        const tokens = (await scheduler.waitFor(renewed)).map(({ accessToken }) => accessToken);
        expect(tokens).toEqual(['access-of call 1', 'access-of call 1']);
        expect(asked).toBe(1);
      }),
      { numRuns: interleavingsOfTwo },
    );
    await close();
  });
});
