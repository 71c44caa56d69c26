import { startConnectedBots } from './connected-bots.ts';
import { loadCase, loadRound } from './load.ts';
import { median } from './processes.ts';
import { apiKey } from './server-process.ts';

const rounds = Number(process.env.CALHOOK_BENCH_ROUNDS ?? 5);
const connections = 64;
const measureMs = 1_500;
const bots = 1_000;
const eventsPerBot = 10;
const dayMs = 86_400_000;
const timeZone = 'Europe/Berlin';
const botId = (i: number) => `bot-${String(i).padStart(4, '0')}`;
const accountOf = (i: number) => `owner${i}@example.com`;

/** Monday and Sunday of the next week but one, as dates. */
function week(): { monday: number; from: string; to: string } {
  const now = Date.now();
  const daysToMonday = 8 - (new Date(now).getUTCDay() || 7) + 7;
  const monday = Math.floor(now / dayMs) * dayMs + daysToMonday * dayMs;
  const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { monday, from: date(monday), to: date(monday + 6 * dayMs) };
}

/** Two meetings a day that the owner has from Monday to Friday. */
function events(i: number, monday: number): { email: string; event: object }[] {
  return Array.from({ length: eventsPerBot }, (_, n) => {
    const startsAt = monday + (n >> 1) * dayMs + (8 + (n % 2) * 4 + (i % 3)) * 3_600_000;
    const time = (ms: number) => ({ dateTime: new Date(ms).toISOString(), timeZone });
    return {
      email: accountOf(i),
      event: { summary: 'Meeting', start: time(startsAt), end: time(startsAt + 3_600_000) },
    };
  });
}

function get(path: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\nAccept: application/json\r\n\r\n`,
  );
}

/** The requests, in an order that no cache likes: at random. */
function atRandom(requests: readonly Buffer[]): () => Buffer {
  return () => requests[Math.floor(Math.random() * requests.length)] as Buffer;
}

/**
 * Requests per second of the slots of a week, for a thousand bots whose calendars have been read,
 * against those of their status, in one run; and what an answer costs that nobody asked for before.
 */
export async function endpointRatio(): Promise<number> {
  const { monday, from, to } = week();
  const ids = Array.from({ length: bots }, (_, i) => botId(i));
  const stage = await startConnectedBots(
    ids.map((id, i) => ({ id, account: accountOf(i), settings: { timeZone } })),
    { events: ids.flatMap((_, i) => events(i, monday)) },
  );
  try {
    const slotsOf = (id: string) => `/api/calendar/slots/${id}?from=${from}&to=${to}`;
    const asking = (name: string, next: () => Buffer) =>
      loadCase({ name, connections, expectedStatus: '200', next });
    const statusRequests = ids.map((id) => get(`/api/calendar/status/${id}`));
    const slotsRequests = ids.map((id) => get(slotsOf(id)));
    // Another limit each time, none of which cuts anything off: the same slots, computed anew.
    let limit = 0;
    const uncached = () =>
      get(`${slotsOf(ids[limit % bots] as string)}&limit=${500 + (limit++ % 400)}`);
    const asked = [
      asking('status', atRandom(statusRequests)),
      asking('slots', atRandom(slotsRequests)),
      asking('slots-computed', uncached),
    ];
    const headers = { authorization: `Bearer ${apiKey}` };
    const first = await fetch(`http://127.0.0.1:${stage.port}${slotsOf(botId(0))}`, { headers });
    const text = await first.text();
    const { slots } = JSON.parse(text) as { slots: unknown[] };
    console.log(`slots endpoint: ${bots} bots, ${slots.length} slots, ${text.length} bytes each`);

    for (let round = 0; round <= rounds; round++) {
      const { pid } = stage.server;
      // The first round reads the calendars and warms up.
      await loadRound(asked, { pid, port: stage.port }, measureMs, round === 0);
    }
    for (const { name, rates, costs } of asked) {
      console.log(
        `slots endpoint ${name}=${median(rates).toFixed(0)}/s cpu=${median(costs).toFixed(1)}us`,
      );
    }
    const rateOf = (wanted: string) =>
      median(asked.find(({ name }) => name === wanted)?.rates ?? []);
    return rateOf('slots') / rateOf('status');
  } finally {
    await stage.stop();
  }
}
