import { bareCommits } from './bare-commits.ts';
import { anyHour, bookingOf, bookingRequest, lastSlot, slots } from './bookings.ts';
import { startConnectedBots } from './connected-bots.ts';
import { loadCase, loadRound } from './load.ts';
import { median } from './processes.ts';

const goal = 0.5;
const rounds = Number(process.env.CALHOOK_BENCH_ROUNDS ?? 5);
const connections = 64;
const measureMs = 2_000;
const distinctBots = 64;

const oneBot = { id: 'bot-one', account: 'one@example.com', settings: anyHour };
/** As most bots are: weekdays from nine to five, so that there are other times to be named. */
const oneSlotBot = { id: 'bot-slot', account: 'slot@example.com', settings: { timeZone: 'UTC' } };
const manyBots = Array.from({ length: distinctBots }, (_, i) => ({
  id: `bot-many-${i}`,
  account: `many${i}@example.com`,
  settings: anyHour,
}));

/** The next weekday at ten, at least a day ahead. */
function oneSlot(): { date: string; time: string } {
  const day = new Date(Date.now() + 2 * 86_400_000);
  while (day.getUTCDay() % 6 === 0) day.setUTCDate(day.getUTCDate() + 1);
  return { date: day.toISOString().slice(0, 10), time: '10:00' };
}

/**
 * Bookings per second on distinct slots of distinct bots and of one bot, and refusals per second of
 * one slot that is taken, against the bare commits per second of the same disk in the same run.
 */
export async function run(): Promise<void> {
  const stage = await startConnectedBots([...manyBots, oneBot, oneSlotBot]);
  try {
    for (const { id } of [...manyBots, oneBot]) {
      await stage.post(`/api/calendar/create-event/${id}`, bookingOf(lastSlot()));
    }
    const taken = { ...lastSlot(), ...oneSlot() };
    await stage.post(`/api/calendar/create-event/${oneSlotBot.id}`, bookingOf(taken));

    const slotOfOne = slots();
    const slotsOfMany = manyBots.map(() => slots());
    let next = 0;
    const cases = [
      {
        name: 'distinct-bots',
        expectedStatus: '201',
        next: () => {
          const i = next++ % distinctBots;
          const { value } = (slotsOfMany[i] as typeof slotOfOne).next();
          return bookingRequest((manyBots[i] as typeof oneBot).id, bookingOf(value));
        },
      },
      {
        name: 'one-bot',
        expectedStatus: '201',
        next: () => bookingRequest(oneBot.id, bookingOf(slotOfOne.next().value)),
      },
      {
        name: 'one-slot',
        expectedStatus: '409',
        next: () => bookingRequest(oneSlotBot.id, bookingOf(taken, `visitor${next++}@example.org`)),
      },
    ].map((one) => loadCase({ ...one, connections }));

    const bare: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const commits = bareCommits(stage.directory);
      if (round > 0) bare.push(commits);
      const { pid } = stage.server;
      // The first round warms up.
      await loadRound(cases, { pid, port: stage.port }, measureMs, round === 0);
    }
    console.log(`contention bare commits=${median(bare).toFixed(0)}/s`);
    const ratios = cases.map(({ name, rates, costs }) => {
      const ratio = median(rates) / median(bare);
      console.log(
        `contention ${name}=${median(rates).toFixed(0)}/s cpu=${median(costs).toFixed(0)}us ratio=${ratio.toFixed(2)}`,
      );
      return { name, ratio };
    });
    const worst = Math.min(...ratios.map(({ ratio }) => ratio));
    console.log(
      `contention ratio=${worst.toFixed(2)} goal=${goal.toFixed(2)} ${ratios.map(({ name, ratio }) => `${name}=${ratio.toFixed(2)}`).join(' ')}`,
    );
  } finally {
    await stage.stop();
  }
}
