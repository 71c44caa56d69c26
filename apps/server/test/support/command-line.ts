import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';

const cli = new URL('../../src/cli.ts', import.meta.url).pathname;

/** How a command ended, and what it said. */
export interface CommandEnd {
  /** null: killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the command line, in a process of its own. */
export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** Resolves when it printed this, rejects when it ended without. */
  printed(pattern: RegExp): Promise<void>;
  /** SIGKILL: it has no chance to tidy up. */
  kill(): void;
}

export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  directory = tmpdir(),
): RunningCommand {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...environment },
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stdout)) resolve();
        };
        child.stdout.on('data', look);
        look();
        void ended.then(() => reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`)));
      }),
    kill: () => void child.kill('SIGKILL'),
  };
}

export function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  directory?: string,
): Promise<CommandEnd> {
  return startCommand(args, environment, directory).ended;
}
