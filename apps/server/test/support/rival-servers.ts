import { once } from 'node:events';
import { startSandbox } from 'google-sandbox';
import type { DialectName } from '../../src/db/dialect.ts';
import { createTestDatabase } from './databases.ts';
import { freePorts } from './free-ports.ts';
import { type SpawnedServer, spawnServer } from './spawned-server.ts';
import { type Answer, openTestApp, type TestApp, unlimited } from './test-app.ts';

/** Servers on one database, between which requests are spread. */
export interface RivalServers {
  /** One of them, or one that makes bots while processes do the rest. */
  readonly main: TestApp;
  /** Sends the request to the server whose turn it is. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Moves the clocks of all of them. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** As patient as production, or more: what is measured is who wins, not how soon. */
const retry = { budgetMs: 20_000, firstPauseMs: 100, maxPauseMs: 1_000 };
const leaseMs = 30_000;

/** @param processes how many servers, each a process; 1: the server of the test itself */
export async function startRivalServers(
  dialect: DialectName,
  processes: number,
): Promise<RivalServers> {
  const database = await createTestDatabase(dialect);
  // On the time of the machine, as the processes are.
  const sandbox = await startSandbox({ switches: unlimited });
  const main = await openTestApp({ dialect, retry, database, sandbox });
  const children: SpawnedServer[] = [];
  for (let i = 0; i < processes && processes > 1; i++) {
    const url = `http://127.0.0.1:${await freePorts()}`;
    children.push(await spawnServer(url, database, sandbox, leaseMs));
  }
  const calls = children.length > 0 ? children.map(({ call }) => call) : [main.call];
  let turn = 0;
  let aheadMs = 0;
  return {
    main,
    call: (...request) => (calls[turn++ % calls.length] as TestApp['call'])(...request),
    async advance(ms) {
      sandbox.clock.advance(ms);
      aheadMs += ms;
      await Promise.all(
        children.map(async ({ child }) => {
          const moved = once(child, 'message');
          child.send(aheadMs);
          await moved;
        }),
      );
    },
    async close() {
      for (const child of children) await child.end();
      await main.close();
      await sandbox.close();
      await database.drop();
    },
  };
}
