/**
 * The least that a booking can be: ask the calendar what is new, a durable commit that claims the
 * time, the insert, a durable commit that confirms. It knows no key, rule, zone, idempotency or
 * sealed token, and writes no log. What Calhook takes beyond it is Calhook's; what this takes, no
 * server on this stack, with these two calls and two commits, can save. With Calhook's tables, it
 * tells how much of Calhook's share is what is stored.
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { exchange } from '../../apps/server/src/google/exchange.ts';
import { newId } from '../../apps/server/src/identifiers.ts';
import { Flights } from '../../apps/server/src/sync/flights.ts';
import { eventAt, insertPath } from './bare-inserts.ts';
import { calhookStore, leastStore } from './floor-stores.ts';

/** What the server is started with, as JSON in its first argument. */
export interface FloorOptions {
  readonly apiUrl: string;
  readonly directory: string;
  readonly port: number;
  /** Which tables a booking is written to. */
  readonly tables: 'least' | 'calhook';
  /** By bot. */
  readonly accessTokens: Readonly<Record<string, string>>;
}

const options: FloorOptions = JSON.parse(String(process.argv[2]));
const { apiUrl, directory, port, tables, accessTokens } = options;
const pool = new Pool(apiUrl, { connections: 64 });
const slotMs = 5 * 60_000;

const store =
  tables === 'least'
    ? leastStore(directory)
    : await calhookStore(directory, Object.keys(accessTokens));

async function call(bot: string, path: string, event?: object) {
  const answer = await exchange(
    pool,
    {
      path,
      method: event ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${accessTokens[bot]}`,
        'content-type': 'application/json',
      },
      ...(event ? { body: JSON.stringify(event) } : {}),
    },
    8_000,
  );
  if (answer.status !== 200) throw new Error(answer.text);
  return JSON.parse(answer.text);
}

const listPath = '/calendar/v3/calendars/primary/events?singleEvents=true&maxResults=2500';
const syncTokens = new Map<string, string>();
/** Pulls that begin after they were asked for, shared as Calhook shares them. */
const pulls = new Flights<null, void>(() => null);

function pull(bot: string): Promise<void> {
  return pulls.join(bot, null, async () => {
    const token = syncTokens.get(bot);
    const since = token ? `&syncToken=${encodeURIComponent(token)}` : '';
    const { nextSyncToken } = await call(bot, listPath + since);
    syncTokens.set(bot, nextSyncToken);
  });
}

async function book(bot: string, body: string): Promise<object> {
  const { date, time } = JSON.parse(body) as { date: string; time: string };
  const startsAt = Date.parse(`${date}T${time}Z`);
  const endsAt = startsAt + slotMs;
  const booking = { id: newId(Date.now()), bot, body, startsAt, endsAt };
  await pull(bot);
  await store.claim(booking);
  const start = new Date(startsAt).toISOString();
  const end = new Date(endsAt).toISOString();
  const { htmlLink } = await call(bot, insertPath, eventAt({ start, end }, booking.id));
  await store.confirm(booking, htmlLink);
  return { id: booking.id, status: 'confirmed', start, end, htmlLink };
}

for (const bot of Object.keys(accessTokens)) await pull(bot);
createServer((request, response) => {
  const bot = String(request.url).split('/').at(-1) ?? '';
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const answer = JSON.stringify(await book(bot, Buffer.concat(chunks).toString()));
    response.writeHead(201, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
}).listen(port, '127.0.0.1', () => console.log('ready'));
