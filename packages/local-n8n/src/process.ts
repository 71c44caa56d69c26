import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { N8nInstallation } from './installation.ts';

/** How long a command of n8n, or its start, may take on a busy machine, in milliseconds. */
const commandWithinMs = 120_000;

interface N8nProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  log(): string;
}

function startProcess(
  { nodePath, cliPath, directory }: N8nInstallation,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): N8nProcess {
  const child = spawn(nodePath, [cliPath, ...args], {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithParent = () => void child.kill('SIGKILL');
  process.once('exit', endWithParent);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  void ended.finally(() => process.off('exit', endWithParent));
  return { child, ended, log: () => log };
}

/** Runs a command of n8n. @throws Error with what it printed, when it fails or does not end */
export async function runToEnd(
  installation: N8nInstallation,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const { child, ended, log } = startProcess(installation, args, environment);
  const timer = setTimeout(() => child.kill('SIGKILL'), commandWithinMs);
  const code = await ended.finally(() => clearTimeout(timer));
  if (code !== 0) throw new Error(`n8n ${args.join(' ')} ended with ${code}:\n${log()}`);
}

/** Starts a command of n8n that goes on running. @throws Error with what it printed */
export async function startAndWait(
  installation: N8nInstallation,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  isReady: (log: string) => boolean,
): Promise<{ pid: number; log(): string; stop(): Promise<void> }> {
  const { child, ended, log } = startProcess(installation, args, environment);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`n8n ${args.join(' ')} ${what}:\n${log()}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready after ${commandWithinMs} ms`);
    }, commandWithinMs);
    const look = () => {
      if (!isReady(log())) return;
      clearTimeout(timer);
      child.stdout?.off('data', look);
      resolve();
    };
    child.stdout?.on('data', look);
    void ended.then((code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
  return { pid: child.pid as number, log, stop };
}
