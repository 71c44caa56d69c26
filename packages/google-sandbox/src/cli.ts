#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startSandbox } from './sandbox.ts';
import { readSeed } from './seed.ts';

const HELP = `google-sandbox: a stand-in for Google OAuth, Calendar and the mail they send.

  google-sandbox [--port 4002] [--host 127.0.0.1] [--seed seed.json] [--no-limits]

  --port       port to listen on; 0 (the default) takes any free one
  --host       address to listen on; default 127.0.0.1. Never a public one: there is no password
  --seed       JSON file: {accounts, clients, switches, now, events}
  --no-limits  no rate limits and no budget of invitations

Prints one line when it listens: ready {"url":"http://127.0.0.1:4002",…}`;

async function main(): Promise<void> {
  if (!('Temporal' in globalThis)) {
    throw new TypeError(`google-sandbox needs Node 26 or newer, and this is ${process.version}.`);
  }
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      seed: { type: 'string' },
      'no-limits': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`--port takes a number from 0 to 65535, not "${values.port}".`);
  }
  const { events, ...seed } =
    values.seed === undefined ? { events: [] } : readSeed(await readFile(values.seed, 'utf8'));
  const withoutLimits = values['no-limits']
    ? { requestsPerMinutePerUser: 0, requestsPerMinutePerProject: 0, externalInvitesPerDay: 0 }
    : {};
  const sandbox = await startSandbox({
    ...seed,
    host: values.host,
    port,
    switches: { ...seed.switches, ...withoutLimits },
  });
  for (const { email, event, calendarId } of events) sandbox.putEvent(email, event, calendarId);
  console.log(`ready ${JSON.stringify({ url: sandbox.url, endpoints: sandbox.endpoints })}`);
  const stop = () => void sandbox.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
