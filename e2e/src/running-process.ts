import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** How a process ended. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program under test, in a process group of its own, as a terminal gives each command one. */
export interface RunningProcess {
  readonly pid: number;
  /** All that it has printed so far. */
  readonly output: () => { stdout: string; stderr: string };
  readonly ended: Promise<Ending>;
  /** The first line of its output that matches. @throws Error when it ends without one */
  line(pattern: RegExp): Promise<string>;
  /** Signals the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** Signals it and all that it started, as Ctrl-C does. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Resolves when no process of the group runs any more. @throws Error after `withinMs` */
  groupGone(withinMs: number): Promise<void>;
  /** For clean-up: ends whatever is left of the group. */
  kill(): void;
}

/** Starts a program at the root of the repository. */
export function startProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RunningProcess {
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });

  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  return {
    pid,
    output: () => ({ stdout, stderr }),
    ended,
    line(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = stdout
            .split('\n')
            .slice(0, -1)
            .find((line) => pattern.test(line));
          if (found === undefined) return false;
          child.stdout.off('data', look);
          resolve(found);
          return true;
        };
        if (look()) return;
        child.stdout.on('data', look);
        void ended.then(() => {
          if (!look())
            reject(new Error(`${command} ended without ${pattern}:\n${stdout}${stderr}`));
        });
      });
    },
    signal: (signal) => void child.kill(signal),
    signalGroup,
    async groupGone(withinMs) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const left = processesOfGroup(pid);
        if (left.length === 0) return;
        if (performance.now() > deadline) throw new Error(`still running: ${left.join(', ')}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    kill: () => signalGroup('SIGKILL'),
  };
}

/** Ids of the processes of a group that run; ended ones that nobody has waited for do not. */
function processesOfGroup(group: number): number[] {
  if (!existsSync('/proc/self/stat')) {
    try {
      process.kill(-group, 0);
      return [group];
    } catch {
      return [];
    }
  }
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // pid (name) state ppid pgrp …; the name may hold anything, so count from its last bracket.
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state, , ownGroup] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return Number(ownGroup) === group && state !== 'Z' && state !== 'X' ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}
