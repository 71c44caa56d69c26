/**
 * Preloaded into a server (`--import`), which then writes down each milestone that an appointment
 * reaches, and kills itself at the one it was told: at once, as a power cut would. Its clock is
 * ahead of the machine's, so that a server that starts again need not wait for what was put off.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';
import type { Milestone } from '../../apps/server/src/appointments/milestones.ts';

const { DYING_ORDER: order = '', DYING_TRACE: trace = '', DYING_AHEAD_MS: aheadMs } = process.env;

const machineNow = Date.now;
Date.now = () => machineNow() + Number(aheadMs);

let seen = 0;
subscribe('calhook:appointment', (message) => {
  const { milestone, subject } = message as { milestone: Milestone; subject: string };
  // Written at once, each line: there is no later.
  appendFileSync(trace, `${milestone} ${subject}\n`);
  const [named, count] = readFileSync(order, 'utf8').split(' ');
  if (milestone === named && ++seen === Number(count)) process.kill(process.pid, 'SIGKILL');
});
