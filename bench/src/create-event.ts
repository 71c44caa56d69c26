import { Pool } from 'undici';
import { newId } from '../../apps/server/src/identifiers.ts';
import {
  anyHour,
  type BookableSlot,
  bookingOf,
  bookingRequest,
  lastSlot,
  slots,
} from './bookings.ts';
import { startConnectedBots } from './connected-bots.ts';
import { load } from './load.ts';
import { median, processorMs } from './processes.ts';
import { consentBeside } from './sandbox-process.ts';

const goal = 0.5;
const rounds = Number(process.env.CALHOOK_BENCH_ROUNDS ?? 5);
const connections = 32;
const measureMs = 2_000;
const botId = 'bot-bench';
const bot = { id: botId, account: 'ada@example.com', settings: anyHour };
/** The bare loop has a calendar of its own: what it inserts is no news to the bot's owner. */
const bareAccount = 'bare@example.com';

/** The event that Calhook would insert, field by field. */
function event({ start, end }: BookableSlot): object {
  const id = newId(Date.now());
  return {
    id,
    summary: 'Alan Turing',
    description:
      'Name: Alan Turing\nE-mail: alan@example.org\nPhone: +44 20 7946 0000\n\nThe front wheel squeaks.',
    start: { dateTime: start, timeZone: 'UTC' },
    end: { dateTime: end, timeZone: 'UTC' },
    attendees: [{ email: 'alan@example.org', displayName: 'Alan Turing' }],
    reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1_440 }] },
    guestsCanInviteOthers: false,
    guestsCanModify: false,
    extendedProperties: { private: { calhookAppointmentId: `apt-${id}`, calhookBotId: botId } },
  };
}

// On a quiet machine there are more inserts than slots.
const bareSlots = slots({ again: true });
const bookedSlots = slots();

/** Inserts events with undici and nothing else. */
async function bareLoop(
  pool: Pool,
  accessToken: string,
  concurrency: number,
  forMs: number,
): Promise<{ rate: number; medianMs: number }> {
  const times: number[] = [];
  const path = '/calendar/v3/calendars/primary/events?sendUpdates=all&conferenceDataVersion=1';
  const from = performance.now();
  const until = from + forMs;
  const one = async () => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const response = await pool.request({
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(event(bareSlots.next().value)),
      });
      const answer = JSON.parse(await response.body.text());
      if (response.statusCode !== 200)
        throw new Error(`insert: ${response.statusCode} ${JSON.stringify(answer)}`);
      times.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { rate: (times.length * 1_000) / (performance.now() - from), medianMs: median(times) };
}

/** Bookings per second, and their latency, against inserting the same events with undici alone. */
export async function run(): Promise<void> {
  const stage = await startConnectedBots([bot], { accounts: [bareAccount] });
  const { endpoints, port, redirectUri } = stage;
  const pool = new Pool(endpoints.apiUrl, { connections });
  try {
    const { access_token: accessToken } = await consentBeside(endpoints, bareAccount, redirectUri);
    await stage.post(`/api/calendar/create-event/${botId}`, bookingOf(lastSlot()));
    const book = async (concurrency: number) => {
      const before = processorMs(stage.server.pid);
      const startedAt = performance.now();
      const result = await load({
        port,
        connections: concurrency,
        measureMs,
        expectedStatus: '201',
        next: () => bookingRequest(botId, bookingOf(bookedSlots.next().value)),
      });
      if (result.unexpected > 0) throw new Error(`${result.unexpected} bookings were not 201`);
      const share = (processorMs(stage.server.pid) - before) / (performance.now() - startedAt);
      return { ...result, costUs: (share * 1e6) / result.rate };
    };
    await bareLoop(pool, accessToken, connections, 1_000);
    await book(connections);
    const rates: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    const alone: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    const costs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      rates.bare.push((await bareLoop(pool, accessToken, connections, measureMs)).rate);
      const { rate, costUs } = await book(connections);
      rates.ours.push(rate);
      costs.push(costUs);
      alone.bare.push((await bareLoop(pool, accessToken, 1, measureMs / 2)).medianMs);
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
