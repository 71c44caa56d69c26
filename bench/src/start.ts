import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median, residentMb } from './processes.ts';
import { serverEnvironment, startServerProcess } from './server-process.ts';

const goalReadyMs = 1_000;
const goalMemoryMb = 120;
const rounds = 7;
/** How long the server is left alone before its memory is read, in milliseconds. */
const restMs = 2_000;

/** Time from spawn to ready, and resident memory at rest. The first start fills the compile cache. */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'calhook-bench-'));
  const environment = serverEnvironment(`sqlite:${join(directory, 'calhook.db')}`);
  const ready: number[] = [];
  const memory: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const { process: server } = await startServerProcess(directory, environment);
      if (round > 0) ready.push(server.readyMs);
      await delay(restMs);
      memory.push(residentMb(server.pid));
      await server.stop();
      if (round === 0) console.log(`start first=${server.readyMs.toFixed(0)}ms (nothing cached)`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const ms = median(ready);
  const mb = median(memory);
  console.log(`start memory=${mb.toFixed(0)}MB goal=${goalMemoryMb}MB`);
  console.log(
    `start ready=${ms.toFixed(0)}ms goal=${goalReadyMs}ms ratio=${(ms / goalReadyMs).toFixed(2)}`,
  );
}
