import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A server in a process of its own, so that it does not share a core's turn with the load. */
export interface ServerProcess {
  readonly pid: number;
  /** What the process printed when it was ready. */
  readonly ready: string;
  /** Milliseconds from spawn to ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/**
 * Starts `node <script>` and waits until `isReady` finds what it waits for.
 *
 * @param isReady returns what tells that the server is ready, or null to be asked again
 */
export async function startProcess(options: {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Where its standard output goes, as a service's log goes to a file. */
  readonly logFile: string;
  readonly isReady: (log: string) => string | null | Promise<string | null>;
}): Promise<ServerProcess> {
  const { args, env, logFile, isReady } = options;
  const log = openSync(logFile, 'w');
  const spawnedAt = performance.now();
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', log, 'inherit'],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  for (;;) {
    const ready = await isReady(readFileSync(logFile, 'utf8'));
    if (ready !== null) {
      return {
        pid: child.pid as number,
        ready,
        readyMs: performance.now() - spawnedAt,
        async stop() {
          child.kill('SIGTERM');
          await exited;
        },
      };
    }
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1_024;
}

/** Processor time that a process has used, in milliseconds. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime, in clock ticks of 10 ms (proc(5); USER_HZ is 100 on Linux).
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
