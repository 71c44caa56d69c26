import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DemoAddresses } from '../../apps/server/src/demo/demo.ts';
import { type RunningProcess, startProcess } from './running-process.ts';

const host = '127.0.0.1';

async function canListen(port: number): Promise<boolean> {
  const probe = createServer();
  const free = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => resolve(true));
  });
  if (free) await new Promise<void>((resolve) => probe.close(() => resolve()));
  return free;
}

/**
 * The first of `count` ports in a row that are free now. They lie below those that systems hand out
 * to outgoing connections, so that they stay free while a server is stopped and started again.
 */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, step) => first + step);
    if ((await Promise.all(ports.map(canListen))).every(Boolean)) return first;
  }
}

/** A directory that is gone when the test (or, from a hook, the caller) is through with it. */
async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'calhook-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A process that is ended, whatever becomes of the test that started it. */
export function startForThisTest(...start: Parameters<typeof startProcess>): RunningProcess {
  const running = startProcess(...start);
  onTestFinished(() => running.kill());
  return running;
}

/** A directory that is removed after the test. */
export async function directoryForThisTest(): Promise<string> {
  const { path, remove } = await temporaryDirectory();
  onTestFinished(remove);
  return path;
}

/** The `demo` command, run as `npm run demo` runs it. */
export function demoCommand(...options: string[]): [string, string[]] {
  return [process.execPath, ['apps/server/bin/calhook.js', 'demo', ...options]];
}

/** Waits for the last line, and reads what it tells. */
export async function demoReady(running: RunningProcess): Promise<DemoAddresses> {
  const line = await running.line(/^ready \{/);
  return JSON.parse(line.slice('ready '.length));
}

/** A fresh demo in a process of its own, for a suite. */
export async function startDemoProcess(): Promise<
  DemoAddresses & { running: RunningProcess; stop(): Promise<void> }
> {
  const directory = await temporaryDirectory();
  const port = await freePorts(3);
  const running = startProcess(
    ...demoCommand('--port', String(port), '--fresh', '--data', directory.path),
  );
  const addresses = await demoReady(running);
  return {
    ...addresses,
    running,
    async stop() {
      running.signal('SIGTERM');
      await running.ended;
      await directory.remove();
    },
  };
}

/** Calls the API of a demo. */
export async function callDemo(
  demo: Pick<DemoAddresses, 'url' | 'apiKey'>,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(demo.url + path, {
    method,
    headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}

/** Events on the calendar of an account of the sandbox; deleted ones are left out. */
export async function eventsOf(
  sandboxUrl: string,
  email: string,
): Promise<{ id: string; summary: string; status: string; [field: string]: unknown }[]> {
  const response = await fetch(`${sandboxUrl}/sandbox/events?email=${encodeURIComponent(email)}`);
  const { events } = await response.json();
  return events.filter((event: { status: string }) => event.status !== 'cancelled');
}
