import { createServer } from 'node:net';

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

/** Ports of each worker of the test run, so that no other takes one before it is listened on. */
const portsOfWorker = 1_000;
const firstOfWorker = 20_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 10) * portsOfWorker;

/**
 * The first of `count` ports in a row that are free now. They lie below those that systems hand out
 * to outgoing connections, so that they stay free while a server is stopped and started again.
 */
export async function freePorts(count = 1): Promise<number> {
  for (;;) {
    const first = firstOfWorker + Math.floor(Math.random() * (portsOfWorker - count + 1));
    const ports = Array.from({ length: count }, (_, step) => first + step);
    if ((await Promise.all(ports.map(canListen))).every(Boolean)) return first;
  }
}
