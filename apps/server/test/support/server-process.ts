/**
 * A server in a process of its own, on a database and a Google that others share. Configured by
 * its environment as in production; the lease's length, in milliseconds, is the only argument. A
 * parent with a channel to it moves its clock by sending how far ahead, in milliseconds.
 */
import { openApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { refreshPolicy } from '../../src/connections/refresh.ts';
import { openLog } from '../../src/logger.ts';

const config = readConfig(process.env);
const leaseMs = Number(process.argv[2]);
let aheadMs = 0;
process.on('message', (sent) => {
  aheadMs = Number(sent);
  process.send?.(sent);
});
const app = await openApp(config, {
  log: openLog('error'),
  // A thousand callers on a busy machine take longer than a visitor would wait.
  retry: { budgetMs: 60_000, firstPauseMs: 200, maxPauseMs: 2_000 },
  refresh: { ...refreshPolicy, leaseMs },
  now: () => Date.now() + aheadMs,
});
await app.http.listen({ host: config.host, port: config.port });
process.stdout.write('listening\n');
