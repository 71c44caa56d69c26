import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Sandbox } from 'google-sandbox';
import type { TestDatabase } from './databases.ts';
import { clientOf, type TestApp, testEnvironment } from './test-app.ts';

/** A server in a process of its own. */
export interface SpawnedServer {
  readonly child: ChildProcess;
  readonly call: TestApp['call'];
  /** Kills it, unless it has ended. */
  end(): Promise<void>;
}

/** Starts a server on a database and a Google that others may share; ready when it resolves. */
export async function spawnServer(
  url: string,
  database: TestDatabase,
  sandbox: Sandbox,
  leaseMs: number,
): Promise<SpawnedServer> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'server-process.ts'), String(leaseMs)],
    {
      env: { ...process.env, ...testEnvironment(sandbox, database.url, url) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The server ended with ${code} before it was ready.`);
  });
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), ended]);
  return {
    child,
    call: clientOf(url).call,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
