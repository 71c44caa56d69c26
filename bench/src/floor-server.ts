/**
 * The least that a booking can be: ask the calendar what is new, a durable commit that claims the
 * time, the insert, a durable commit that confirms. It knows no key, rule, zone, idempotency or
 * sealed token, and writes no log. What Calhook takes beyond it is Calhook's; what this takes, no
 * server on this stack, with these two calls and two commits, can save.
 */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Pool } from 'undici';
import { exchange } from '../../apps/server/src/google/exchange.ts';
import { newId } from '../../apps/server/src/identifiers.ts';
import { Flights } from '../../apps/server/src/sync/flights.ts';
import { eventAt, insertPath } from './bare-inserts.ts';

/** What the server is started with, as JSON in its first argument. */
export interface FloorOptions {
  readonly apiUrl: string;
  readonly directory: string;
  readonly port: number;
  /** By bot. */
  readonly accessTokens: Readonly<Record<string, string>>;
}

const { apiUrl, directory, port, accessTokens }: FloorOptions = JSON.parse(String(process.argv[2]));
const pool = new Pool(apiUrl, { connections: 64 });
const slotMs = 5 * 60_000;

const db = new DatabaseSync(join(directory, 'floor.db'));
db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000');
db.exec(`
  create table appointments (
    id text primary key, bot text, booking text, status text, starts_at integer
  ) strict, without rowid;
  create table claims (
    bot text, starts_at integer, ends_at integer, appointment text, primary key (bot, starts_at)
  ) strict, without rowid;
  create table jobs (key text primary key, due_at integer) strict, without rowid;
  create table activity (
    bot text, id text, kind text, primary key (bot, id)
  ) strict, without rowid;
`);
const insertAppointment = db.prepare("insert into appointments values (?, ?, ?, 'pending', ?)");
const latestClaim = db.prepare(
  'select ends_at from claims where bot = ? and starts_at < ? order by starts_at desc limit 1',
);
const insertClaim = db.prepare('insert into claims values (?, ?, ?, ?)');
const insertJob = db.prepare('insert into jobs values (?, ?)');
const confirm = db.prepare("update appointments set status = 'confirmed' where id = ?");
const deleteJob = db.prepare('delete from jobs where key = ?');
const insertActivity = db.prepare("insert into activity values (?, ?, 'appointment.confirmed')");

interface Waiting {
  write(): void;
  written(): void;
}
const waiting: Waiting[] = [];
let committing = false;

/** Commits what waits, together, until nothing waits. */
async function commitAll(): Promise<void> {
  committing = true;
  while (waiting.length > 0) {
    for (let before = 0; before < waiting.length; ) {
      before = waiting.length;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const group = waiting.splice(0);
    db.exec('begin immediate');
    for (const { write } of group) write();
    db.exec('commit');
    for (const { written } of group) written();
  }
  committing = false;
}

function commit(write: () => void): Promise<void> {
  return new Promise((written) => {
    waiting.push({ write, written });
    if (!committing) void commitAll();
  });
}

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
  const id = newId(Date.now());
  await pull(bot);
  await commit(() => {
    const claim = latestClaim.get(bot, endsAt);
    if (claim && Number(claim.ends_at) > startsAt) throw new Error('taken');
    insertAppointment.run(id, bot, body, startsAt);
    insertClaim.run(bot, startsAt, endsAt, id);
    insertJob.run(id, Date.now());
  });
  const start = new Date(startsAt).toISOString();
  const end = new Date(endsAt).toISOString();
  const event = await call(bot, insertPath, eventAt({ start, end }, id));
  await commit(() => {
    confirm.run(id);
    deleteJob.run(id);
    insertActivity.run(bot, id);
  });
  return { id, status: 'confirmed', start, end, htmlLink: event.htmlLink };
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
