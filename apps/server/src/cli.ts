import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type ApiKey, type ApiKeyScope, apiKeyScopes, botIdPattern } from '@calhook/contract';
import { ConfigError, configVariables, readConfig } from './config.ts';
import type { Demo } from './demo/demo.ts';
import { OperatorError } from './operator-error.ts';

const usage = `calhook <command>

  serve                    start the server (npm start)
  demo [--port P] [--fresh] [--n8n]
                           start server, Google sandbox and a sample website; --n8n: and an n8n
  migrate                  bring the tables up to date, and stop
  keys create --name NAME [--scopes a,b] [--bots bot-a,bot-b] [--expires 90d]
  keys list
  keys revoke ID
  rotate-keys [--dry-run] [--batch N] [--offline]
                           encrypt all stored secrets under the first key of the list
  rotate-keys --status     how many secrets are under which key
  doctor [--json]          check database, keys, clock, Google, addresses and mail
  help                     this, and every variable of the configuration
`;

/** A mistake of who typed the command; told without a stack. */
class UsageError extends OperatorError {}

type Options = NonNullable<ParseArgsConfig['options']>;

function parse<const T extends Options>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Stops a running thing on the first signal; the same signal again ends the process at once.
 *
 * @returns does what a signal does; however often it is called, the thing is stopped once
 */
function stopOnSignal(stop: () => Promise<void>): () => void {
  let stopping = false;
  const stopAndExit = () => {
    if (stopping) return;
    stopping = true;
    void stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopAndExit);
  return stopAndExit;
}

async function serve(): Promise<void> {
  const config = readConfig(process.env);
  const { startServer } = await import('./main.ts');
  const server = await startServer(config);
  stopOnSignal(() => server.stop());
}

async function demo(args: string[]): Promise<void> {
  const { values } = parse(args, {
    port: { type: 'string', default: '4000' },
    fresh: { type: 'boolean', default: false },
    data: { type: 'string', default: 'data/demo' },
    n8n: { type: 'boolean', default: false },
  });
  const port = Number(values.port);
  const lastPort = values.n8n ? 65_531 : 65_533;
  if (!/^\d+$/.test(values.port) || port > lastPort) {
    const further = values.n8n ? 'four' : 'two';
    throw new UsageError(
      `--port must be a number up to ${lastPort}; the ${further} ports above it are used, too`,
    );
  }
  const [{ demoGreeting, startDemo }, { stopWithNpm }] = await Promise.all([
    import('./demo/demo.ts'),
    import('./demo/orphan.ts'),
  ]);
  let running: Demo | null = null;
  // Also while it starts: an installation or an n8n under way must not outlive this process.
  stopWithNpm(stopOnSignal(async () => running?.stop()));
  running = await startDemo({
    port,
    fresh: values.fresh,
    n8n: values.n8n,
    directory: resolve(values.data),
    progress: (line) => console.log(line),
  });
  console.log(demoGreeting(running));
}

async function migrate(): Promise<void> {
  const { openDatabase } = await import('./db/index.ts');
  const database = await openDatabase(readConfig(process.env).databaseUrl);
  await database.close();
  console.log(database.migrated.length > 0 ? database.migrated.join('\n') : 'Nothing to do.');
}

function readScopes(text: string): ApiKeyScope[] {
  return text.split(',').map((name) => {
    const scope = apiKeyScopes.find((known) => known === name.trim());
    if (!scope) throw new UsageError(`"${name}" is no scope. Scopes: ${apiKeyScopes.join(' ')}`);
    return scope;
  });
}

function readBotIds(text: string): string[] {
  return text.split(',').map((id) => {
    if (!new RegExp(botIdPattern).test(id.trim()))
      throw new UsageError(`"${id}" is no bot id, such as bot-ada`);
    return id.trim();
  });
}

const durationsMs = { d: 86_400_000, h: 3_600_000 };

/** `90d`, `12h`, or an instant such as 2027-01-31T00:00:00Z; in epoch milliseconds. */
function readExpiry(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([dh])$/.exec(text) ?? [];
  if (count) return now + Number(count) * durationsMs[unit as keyof typeof durationsMs];
  let instant: number;
  try {
    instant = Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    throw new UsageError(
      `"${text}" is no end: write 90d, 12h, or an instant with its offset such as 2027-01-31T00:00:00Z`,
    );
  }
  if (instant <= now) throw new UsageError(`"${text}" is over already`);
  return instant;
}

const isoOf = (instant: number) => new Date(instant).toISOString();

function stateOf(key: ApiKey, now: number): string {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active';
}

async function keys(args: string[]): Promise<void> {
  const { values, positionals } = parse(args, {
    name: { type: 'string' },
    scopes: { type: 'string' },
    bots: { type: 'string' },
    expires: { type: 'string' },
  });
  const [action, id] = positionals;
  if (!['create', 'list', 'revoke'].includes(action ?? '')) throw new UsageError(usage);
  const [{ openDatabase }, { ApiKeys }] = await Promise.all([
    import('./db/index.ts'),
    import('./keys/keys.ts'),
  ]);
  const database = await openDatabase(readConfig(process.env).databaseUrl);
  const apiKeys = new ApiKeys(database, Date.now);
  try {
    if (action === 'create') {
      if (!values.name) throw new UsageError('keys create needs --name');
      const { apiKey, secret } = await apiKeys.create({
        name: values.name,
        // An empty limit is a slip (an unset variable of the shell), and must not mean no limit.
        ...(values.scopes === undefined ? {} : { scopes: readScopes(values.scopes) }),
        ...(values.bots === undefined ? {} : { botIds: readBotIds(values.bots) }),
        ...(values.expires === undefined
          ? {}
          : { expiresAt: readExpiry(values.expires, Date.now()) }),
      });
      console.log(`${secret}\n\nThis is the only time the key ${apiKey.id} is shown.`);
    } else if (action === 'list') {
      for (const key of await apiKeys.list()) {
        const state = stateOf(key, Date.now());
        const bots = key.botIds?.join(',') ?? 'all bots';
        const used = key.lastUsedAt ? isoOf(key.lastUsedAt) : 'never';
        const ends = key.expiresAt === null ? 'never' : isoOf(key.expiresAt);
        const scopes = key.scopes.join(',');
        console.log(
          [key.id, state, key.name, scopes, bots, `used ${used}`, `expires ${ends}`].join('\t'),
        );
      }
    } else if (id && (await apiKeys.revoke(id))) {
      console.log(`Revoked ${id}.`);
    } else {
      throw new UsageError(`There is no active key "${id ?? ''}"; see: calhook keys list`);
    }
  } finally {
    await apiKeys.close();
    await database.close();
  }
}

async function rotateKeys(args: string[]): Promise<void> {
  const { values } = parse(args, {
    status: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    offline: { type: 'boolean', default: false },
    batch: { type: 'string', default: '500' },
  });
  const batch = Number(values.batch);
  if (!/^\d+$/.test(values.batch) || batch < 1 || batch > 10_000) {
    throw new UsageError('--batch must be a number from 1 to 10000');
  }
  const config = readConfig(process.env);
  const { runRotation, showKeyUse } = await import('./rotate-keys.ts');
  if (values.status) return showKeyUse(config, process.stdout);
  const complete = await runRotation(config, {
    batch,
    dryRun: values['dry-run'],
    offline: values.offline,
    output: process.stdout,
    problems: process.stderr,
  });
  if (!complete) process.exitCode = 1;
}

async function doctor(args: string[]): Promise<void> {
  const { values } = parse(args, { json: { type: 'boolean', default: false } });
  const [{ configFindings, diagnose }, { hasFault, reportJson, reportText }] = await Promise.all([
    import('./doctor/doctor.ts'),
    import('./doctor/report.ts'),
  ]);
  const look = async () => {
    try {
      return await diagnose(readConfig(process.env));
    } catch (error) {
      if (error instanceof ConfigError) return configFindings(error);
      throw error;
    }
  };
  const findings = await look();
  console.log(values.json ? reportJson(findings) : reportText(findings));
  if (hasFault(findings)) process.exitCode = 1;
  // What still hangs after its timeout must not keep the shell waiting.
  setTimeout(() => process.exit(), 1_000).unref();
}

function help(): void {
  console.log(usage);
  for (const { variable, purpose, example, fallback } of configVariables) {
    const standard = fallback ? ` (default ${fallback})` : '';
    console.log(`${variable}${standard}\n    ${purpose}\n    example: ${example}`);
  }
}

const commands: Readonly<Record<string, (args: string[]) => void | Promise<void>>> = {
  serve,
  demo,
  migrate,
  keys,
  'rotate-keys': rotateKeys,
  doctor,
  help,
  '--help': help,
};

/** Runs one command of the command line; faults that its user can mend are told without a stack. */
export async function run([name = 'help', ...args]: string[]): Promise<void> {
  try {
    const command = commands[name];
    if (!command) throw new UsageError(`There is no command "${name}".\n\n${usage}`);
    await command(args);
  } catch (error) {
    console.error(error instanceof OperatorError ? error.message : error);
    process.exitCode = 1;
  }
}

if (import.meta.main) await run(process.argv.slice(2));
