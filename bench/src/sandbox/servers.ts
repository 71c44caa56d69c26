import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, so that it does not share a core's time with the load. */
export type ServerProcess = { url: string; stop(): Promise<void> };

/**
 * Starts a script that prints `ready {"url":…}` on its first line.
 * @throws Error when it ends before it is ready
 */
export function startServer(script: URL, ...args: string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (chunk: string) => {
      output += chunk;
      const ready = /^ready (.+)$/m.exec(output)?.[1];
      if (ready === undefined) return;
      const { url } = JSON.parse(ready) as { url: string };
      resolve({
        url,
        async stop() {
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
    void ended.then(() => reject(new Error(`${script.pathname} ended before it was ready.`)));
  });
}
