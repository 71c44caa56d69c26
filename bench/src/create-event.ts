import { Pool } from 'undici';
import { bareInserts } from './bare-inserts.ts';
import { anyHour, bookingOf, bookingRequest, lastSlot, slots } from './bookings.ts';
import { startConnectedBots } from './connected-bots.ts';
import { loadServer } from './load.ts';
import { median } from './processes.ts';
import { consentBeside } from './sandbox-process.ts';

const goal = 0.5;
const rounds = Number(process.env.CALHOOK_BENCH_ROUNDS ?? 5);
const connections = 32;
const measureMs = 2_000;
const botId = 'bot-bench';
const bot = { id: botId, account: 'ada@example.com', settings: anyHour };
/** The bare loop has a calendar of its own: what it inserts is no news to the bot's owner. */
const bareAccount = 'bare@example.com';

const bookedSlots = slots();

/** Bookings per second, and their latency, against inserting the same events with undici alone. */
export async function run(): Promise<void> {
  const stage = await startConnectedBots([bot], { accounts: [bareAccount] });
  const { endpoints, port, redirectUri } = stage;
  const pool = new Pool(endpoints.apiUrl, { connections });
  try {
    const { access_token: accessToken } = await consentBeside(endpoints, bareAccount, redirectUri);
    await stage.post(`/api/calendar/create-event/${botId}`, bookingOf(lastSlot()));
    const book = (concurrency: number) =>
      loadServer(stage.server.pid, {
        port,
        connections: concurrency,
        measureMs,
        expectedStatus: '201',
        next: () => bookingRequest(botId, bookingOf(bookedSlots.next().value)),
      });
    await bareInserts(pool, accessToken, connections, 1_000);
    await book(connections);
    const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    const alone: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    const costs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      rates.bare.push((await bareInserts(pool, accessToken, connections, measureMs)).rate);
      const { rate, costUs } = await book(connections);
      rates.ours.push(rate);
      costs.push(costUs);
      alone.bare.push((await bareInserts(pool, accessToken, 1, measureMs / 2)).medianMs);
      alone.ours.push((await book(1)).medianMs);
    }
    const ratio = median(rates.ours) / median(rates.bare);
    const added = median(alone.ours) - median(alone.bare);
    console.log(
      `create-event at ${connections} at once: bare=${median(rates.bare).toFixed(0)}/s calhook=${median(rates.ours).toFixed(0)}/s cpu=${median(costs).toFixed(0)}us; one at a time: bare=${median(alone.bare).toFixed(2)}ms calhook=${median(alone.ours).toFixed(2)}ms`,
    );
    console.log(
      `create-event ratio=${ratio.toFixed(2)} goal=${goal.toFixed(2)} added-median-ms=${added.toFixed(2)}`,
    );
  } finally {
    await pool.destroy();
    await stage.stop();
  }
}
