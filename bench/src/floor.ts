import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { bareCommits } from './bare-commits.ts';
import { bareInserts } from './bare-inserts.ts';
import { bookingOf, bookingRequest, slots } from './bookings.ts';
import type { FloorOptions } from './floor-server.ts';
import { loadCase, loadRound } from './load.ts';
import { median, startProcess } from './processes.ts';
import { consentBeside, startSandboxProcess } from './sandbox-process.ts';
import { productionFlags } from './server-process.ts';

const rounds = Number(process.env.CALHOOK_BENCH_ROUNDS ?? 5);
const measureMs = 2_000;
const bareAccount = 'bare@example.com';
const accountOf = (bot: string) => `${bot}@example.com`;
/** Each server has owners of its own, so that no pull brings what the other one booked. */
const botsOf = (tables: FloorOptions['tables']) =>
  Array.from({ length: 64 }, (_, i) => `bot-${tables}-${i}`);

/** What the two servers of the floor share. */
interface Stage {
  readonly apiUrl: string;
  readonly directory: string;
  readonly port: number;
  tokenOf(account: string): Promise<string>;
}

/**
 * How much of the bare things a booking could reach: the same calls and commits as Calhook's, in the
 * cases of `create-event` (one bot, 32 at once) and `contention` (64 at once), with nothing else;
 * and then with all that Calhook stores of a booking.
 */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const port = await freePorts();
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  const accounts = [...botsOf('least'), ...botsOf('calhook')].map(accountOf);
  const sandbox = await startSandboxProcess(directory, [...accounts, bareAccount], [redirectUri]);
  const { endpoints } = sandbox;
  const tokenOf = async (account: string) =>
    (await consentBeside(endpoints, account, redirectUri)).access_token;
  const stage: Stage = { apiUrl: endpoints.apiUrl, directory, port, tokenOf };
  try {
    await measure(stage, 'least');
    await measure(stage, 'calhook');
  } finally {
    await sandbox.process.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(stage: Stage, tables: FloorOptions['tables']): Promise<void> {
  const { apiUrl, directory, port, tokenOf } = stage;
  const bots = botsOf(tables);
  const accessTokens: Record<string, string> = {};
  for (const bot of bots) accessTokens[bot] = await tokenOf(accountOf(bot));
  const bareToken = await tokenOf(bareAccount);
  const options: FloorOptions = { apiUrl, directory, port, tables, accessTokens };
  const script = join(import.meta.dirname, 'floor-server.ts');
  const pool = new Pool(apiUrl, { connections: 32 });
  const server = await startProcess({
    args: [...productionFlags, script, JSON.stringify(options)],
    env: {},
    logFile: join(directory, `floor-${tables}.log`),
    isReady: (log) => (log.includes('ready') ? 'ready' : null),
  });
  try {
    const slotsOf = new Map(bots.map((bot) => [bot, slots()]));
    const nextSlotOf = (bot: string) => (slotsOf.get(bot) as ReturnType<typeof slots>).next().value;
    const book = (bot = '') => bookingRequest(bot, bookingOf(nextSlotOf(bot)));
    let turn = 0;
    const bookings = (name: string, connections: number, next: () => Buffer) =>
      loadCase({ name, connections, expectedStatus: '201', next });
    const cases = [
      bookings('create-event', 32, () => book(bots[0])),
      bookings('one-bot', 64, () => book(bots[1])),
      bookings('distinct-bots', 64, () => book(bots[turn++ % bots.length])),
    ];
    const inserts: number[] = [];
    const commits: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const bare = await bareInserts(pool, bareToken, 32, measureMs);
      const disk = bareCommits(directory);
      if (round > 0) {
        inserts.push(bare.rate);
        commits.push(disk);
      }
      // The first round warms up.
      await loadRound(cases, { pid: server.pid, port }, measureMs, round === 0);
    }
    console.log(
      `floor ${tables} bare inserts=${median(inserts).toFixed(0)}/s commits=${median(commits).toFixed(0)}/s`,
    );
    const ratios = cases.map(({ name, rates, costs }) => {
      const rate = median(rates);
      const ratio = rate / median(name === 'create-event' ? inserts : commits);
      console.log(`floor ${tables} ${name}=${rate.toFixed(0)}/s cpu=${median(costs).toFixed(0)}us`);
      return `${name}=${ratio.toFixed(2)}`;
    });
    console.log(`floor ${tables} ratios ${ratios.join(' ')}`);
  } finally {
    await pool.destroy();
    await server.stop();
  }
}
