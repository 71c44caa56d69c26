import { createInserter } from './sandbox/load.ts';
import { startServer } from './sandbox/servers.ts';

const GOAL = 0.5;
const ROUNDS = 25;
const PER_ROUND = 2_000;
const WARM_UP = 20_000;
const SIZES = [100, 1_000, 10_000, 100_000];
/** How many inserts one probe at a size times. */
const PROBE = 500;

const CLIENT = {
  clientId: 'bench.apps.googleusercontent.com',
  clientSecret: 'bench-secret',
  redirectUris: ['http://127.0.0.1:9/callback'],
};
const OWNER = 'ada@example.com';

/**
 * Inserts per second into the Google sandbox against a bare node:http server that parses the same
 * body and answers a fixed event; and whether the sandbox stays as fast with 100,000 events in the
 * calendar as with 100. Servers run in processes of their own, rounds alternate, medians count.
 */
export async function run(): Promise<void> {
  const sandbox = await startServer(
    new URL('../../packages/google-sandbox/src/cli.ts', import.meta.url),
    '--no-limits',
  );
  const bare = await startServer(new URL('./sandbox/bare-server.ts', import.meta.url));
  try {
    const token = await tokenFor(sandbox.url);
    const ratio = await compare(
      createInserter(sandbox.url, 'rounds@group.calendar.google.com', token),
      createInserter(bare.url, 'primary', token),
    );
    const flat = await growth((size) => createInserter(sandbox.url, calendarOfSize(size), token));
    console.log(
      `sandbox ratio=${ratio.toFixed(2)} goal=${GOAL.toFixed(2)} flat=${flat.toFixed(2)} (inserts/s at 100,000 events against 100)`,
    );
  } finally {
    await Promise.all([sandbox.stop(), bare.stop()]);
  }
}

function calendarOfSize(size: number): string {
  return `size-${size}@group.calendar.google.com`;
}

type Inserter = ReturnType<typeof createInserter>;

async function compare(sandbox: Inserter, bare: Inserter): Promise<number> {
  await sandbox.insert(WARM_UP);
  await bare.insert(WARM_UP);
  const ratios: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const bareRate = await bare.insert(PER_ROUND);
    const sandboxRate = await sandbox.insert(PER_ROUND);
    ratios.push(sandboxRate / bareRate);
    console.log(
      `round ${round}: bare ${Math.round(bareRate)}/s, sandbox ${Math.round(sandboxRate)}/s, ratio ${(sandboxRate / bareRate).toFixed(2)}`,
    );
  }
  sandbox.close();
  bare.close();
  return median(ratios);
}

/**
 * The rate at the largest size over that at the smallest. Each size has a calendar of its own, filled
 * first; then five probes, of which the median counts.
 */
async function growth(inserterFor: (size: number) => Inserter): Promise<number> {
  const rates: number[] = [];
  for (const size of SIZES) {
    const inserter = inserterFor(size);
    await inserter.insert(size);
    const probes: number[] = [];
    for (let probe = 0; probe < 5; probe += 1) probes.push(await inserter.insert(PROBE));
    inserter.close();
    rates.push(median(probes));
    console.log(`${size} events in the calendar: ${Math.round(median(probes))} inserts/s`);
  }
  return (rates.at(-1) ?? 0) / (rates[0] ?? 1);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Makes an account, walks through consent, and exchanges the code, all over HTTP. */
async function tokenFor(url: string): Promise<string> {
  const post = async (path: string, body: unknown): Promise<Record<string, string>> => {
    const response = await fetch(`${url}/sandbox/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, string>;
  };
  await post('accounts', {
    email: OWNER,
    timeZone: 'Europe/Berlin',
    calendars: ['rounds@group.calendar.google.com', ...SIZES.map(calendarOfSize)].map((id) => ({
      id,
    })),
  });
  await post('clients', CLIENT);
  const query = new URLSearchParams({
    client_id: CLIENT.clientId,
    redirect_uri: CLIENT.redirectUris[0] ?? '',
    response_type: 'code',
    scope: 'https://www.googleapis.com/auth/calendar.events',
  });
  const { location = '' } = await post('consent', {
    url: `${url}/o/oauth2/v2/auth?${query}`,
    account: OWNER,
  });
  const answer = await fetch(`${url}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(location).searchParams.get('code') ?? '',
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
      redirect_uri: CLIENT.redirectUris[0] ?? '',
    }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  return access_token;
}
