import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAs } from '../../apps/server/src/demo/connect-as.ts';
import { googleOverrides } from '../../apps/server/src/demo/google-overrides.ts';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { driveConsent } from '../../packages/google-sandbox/src/consent-driver.ts';
import type { ServerProcess } from './processes.ts';
import { type Endpoints, type SeedEvent, startSandboxProcess } from './sandbox-process.ts';
import { apiKey, serverEnvironment, startServerProcess } from './server-process.ts';

/** How many bots go through consent at once. */
const consentsAtOnce = 8;

/** A bot to be made and connected. */
export interface BenchBot {
  readonly id: string;
  /** E-mail of its owner. */
  readonly account: string;
  /** Further fields of the request that makes it. */
  readonly settings: object;
}

/** A server on a new SQLite database and a sandbox, each in a process of its own. */
export interface ConnectedBots {
  readonly directory: string;
  readonly server: ServerProcess;
  readonly port: number;
  readonly endpoints: Endpoints;
  readonly redirectUri: string;
  /** Posts as the holder of the API key; throws unless it succeeds. */
  post(path: string, body: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/**
 * Starts server and sandbox, and makes bots whose owners go through consent.
 *
 * @param beside accounts of the sandbox that are no bot's, and events that accounts have
 */
export async function startConnectedBots(
  bots: readonly BenchBot[],
  beside: { readonly accounts?: readonly string[]; readonly events?: readonly SeedEvent[] } = {},
): Promise<ConnectedBots> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const serverPort = await freePorts();
  const redirectUri = `http://127.0.0.1:${serverPort}/oauth/google/callback`;
  const accounts = [...bots.map(({ account }) => account), ...(beside.accounts ?? [])];
  const sandbox = await startSandboxProcess(directory, accounts, [redirectUri], beside.events);
  const { process: server, url } = await startServerProcess(
    directory,
    serverEnvironment(`sqlite:${join(directory, 'calhook.db')}`, {
      CALHOOK_PORT: String(serverPort),
      ...googleOverrides(sandbox.endpoints),
    }),
  );
  const post = async (path: string, body: object) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const stop = async () => {
    await server.stop();
    await sandbox.process.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const connect = async ({ id, account, settings }: BenchBot) => {
    await post('/api/bots', { id, name: 'Bench', ...settings });
    const { url: link } = await post(`/api/calendar/connect/${id}`, {});
    const page = await connectAs({ consent: driveConsent }, String(link), { account });
    if (!page.ok) throw new Error(`connect ${id}: ${page.status}`);
  };
  try {
    const waiting = bots.values();
    const worker = async () => {
      for (const bot of waiting) await connect(bot);
    };
    await Promise.all(Array.from({ length: consentsAtOnce }, worker));
  } catch (error) {
    await stop();
    throw error;
  }
  const { endpoints } = sandbox;
  return { directory, server, port: serverPort, endpoints, redirectUri, post, stop };
}
