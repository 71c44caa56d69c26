import { join } from 'node:path';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { type ServerProcess, startProcess } from './processes.ts';

export const apiKey = `chk_benchmark_${'b'.repeat(43)}`;
export const encryptionKey = { id: 'k1', bytes: Buffer.alloc(32, 1) };
export const oauthClient = { clientId: 'bench-client', clientSecret: 'bench-secret' };
const cli = join(import.meta.dirname, '../../apps/server/bin/calhook.js');

/** As `npm start` runs it. */
export const productionFlags = ['--max-semi-space-size=4', '--no-parallel-scavenge'];
/** Further flags of Node, such as `--cpu-prof --cpu-prof-dir=DIR`: to see what a benchmark spends. */
const furtherFlags = process.env.CALHOOK_BENCH_SERVER_FLAGS?.split(' ') ?? [];

/** The environment of a server as in production, but for where its Google is. */
export function serverEnvironment(
  databaseUrl: string,
  google: Record<string, string> = {},
): Record<string, string> {
  return {
    CALHOOK_DATABASE_URL: databaseUrl,
    CALHOOK_ENCRYPTION_KEYS: `${encryptionKey.id}:${encryptionKey.bytes.toString('base64')}`,
    CALHOOK_BOOTSTRAP_API_KEY: apiKey,
    CALHOOK_GOOGLE_CLIENT_ID: oauthClient.clientId,
    CALHOOK_GOOGLE_CLIENT_SECRET: oauthClient.clientSecret,
    ...google,
  };
}

/** Starts `calhook serve` in a process of its own, its log in a file. */
export async function startServerProcess(
  directory: string,
  environment: Record<string, string>,
): Promise<{ process: ServerProcess; port: number; url: string }> {
  const port = environment.CALHOOK_PORT ? Number(environment.CALHOOK_PORT) : await freePorts();
  const url = `http://127.0.0.1:${port}`;
  const server = await startProcess({
    args: [...productionFlags, ...furtherFlags, cli, 'serve'],
    env: { CALHOOK_PUBLIC_URL: url, CALHOOK_PORT: String(port), ...environment },
    logFile: join(directory, 'server.log'),
    isReady: async () => {
      try {
        return (await fetch(`${url}/readyz`)).ok ? 'ready' : null;
      } catch {
        return null;
      }
    },
  });
  return { process: server, port, url };
}
