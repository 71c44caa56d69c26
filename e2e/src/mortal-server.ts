import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Sandbox, startSandbox } from 'google-sandbox';
import type { Milestone } from '../../apps/server/src/appointments/milestones.ts';
import type { DialectName } from '../../apps/server/src/db/dialect.ts';
import { createTestDatabase, type TestDatabase } from '../../apps/server/test/support/databases.ts';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import {
  clientOf,
  oauthClient,
  type TestApp,
  testEnvironment,
  unlimited,
} from '../../apps/server/test/support/test-app.ts';
import { type RunningProcess, startProcess } from './running-process.ts';

/** A milestone that something reached. */
export interface Reached {
  readonly milestone: string;
  readonly subject: string;
}

/** At which milestone to die, and at which occurrence of it. */
interface Death {
  readonly milestone: Milestone;
  readonly count: number;
}

/** A server process that dies when told, and comes back on the same database. */
export interface MortalServer {
  readonly sandbox: Sandbox;
  readonly database: TestDatabase;
  readonly call: TestApp['call'];
  /** Has the server die at a milestone from now on. */
  dieAt(death: Death): void;
  /** Waits for its death; what was reached since it was told to die, in order. */
  died(): Promise<Reached[]>;
  /** Starts it again, two minutes later: leases have ended, and what was put off is due. */
  revive(): Promise<void>;
  /** Kills it, and starts it again as {@link revive} does. */
  restart(): Promise<void>;
  /** As {@link revive}, to die at once of a job that is due. */
  reviveToDie(death: Death): void;
  close(): Promise<void>;
}

const laterMs = 2 * 60_000;
const preloaded = fileURLToPath(new URL('dying.ts', import.meta.url));

export async function startMortalServer(dialect: DialectName): Promise<MortalServer> {
  const directory = mkdtempSync(join(tmpdir(), 'calhook-mortal-'));
  const [order, trace] = [join(directory, 'order'), join(directory, 'trace')];
  const database = await createTestDatabase(dialect);
  const sandbox = await startSandbox({ switches: unlimited });
  const url = `http://127.0.0.1:${await freePorts()}`;
  sandbox.addClient({ ...oauthClient, redirectUris: [`${url}/oauth/google/callback`] });
  let aheadMs = 0;
  let server: RunningProcess;

  const live = () => {
    writeFileSync(order, '');
    writeFileSync(trace, '');
  };
  const dieAt = ({ milestone, count }: Death) => {
    writeFileSync(trace, '');
    writeFileSync(order, `${milestone} ${count}`);
  };
  const start = () => {
    server = startProcess(
      process.execPath,
      ['--import', pathToFileURL(preloaded).href, 'apps/server/bin/calhook.js', 'serve'],
      {
        ...testEnvironment(sandbox, database.url, url),
        CALHOOK_LOG_LEVEL: 'info',
        DYING_ORDER: order,
        DYING_TRACE: trace,
        DYING_AHEAD_MS: String(aheadMs),
      },
    );
  };
  const later = () => {
    aheadMs += laterMs;
    sandbox.clock.advance(laterMs);
    start();
  };
  const listening = () => server.line(/"msg":"listening"/);
  const revive = async () => {
    live();
    later();
    await listening();
  };

  live();
  start();
  await listening();
  return {
    sandbox,
    database,
    call: clientOf(url).call,
    dieAt,
    async died() {
      const { signal } = await server.ended;
      if (signal !== 'SIGKILL') throw new Error(server.output().stdout);
      const lines = readFileSync(trace, 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => {
        const [milestone = '', subject = ''] = line.split(' ');
        return { milestone, subject };
      });
    },
    revive,
    async restart() {
      server.kill();
      await server.ended;
      await revive();
    },
    reviveToDie(death) {
      dieAt(death);
      later();
    },
    async close() {
      server.kill();
      await server.ended;
      await sandbox.close();
      await database.drop();
      rmSync(directory, { recursive: true });
    },
  };
}
