import type { Config } from './config.ts';
import { type Database, openDatabase } from './db/index.ts';
import { OperatorError } from './operator-error.ts';
import { openVault } from './vault/index.ts';
import { countEnvelopes, hasSealed, rotateKeys } from './vault/rotation.ts';

interface RotationRun {
  /** Secrets per transaction. */
  readonly batch: number;
  /** Opens everything and changes nothing. */
  readonly dryRun: boolean;
  /** No server runs, so none has to know the new key already. */
  readonly offline: boolean;
  readonly output: NodeJS.WriteStream;
  /** Where secrets that do not open are told. */
  readonly problems: NodeJS.WriteStream;
}

const barWidth = 30;
const number = (count: number) => count.toLocaleString('en');

/** Shows how far it is: a bar where somebody watches, a line per tenth where it goes to a file. */
function progressTo(output: NodeJS.WriteStream, total: number) {
  let tenths = 0;
  let last = 0;
  let open = false;
  return {
    show(done: number, all = Math.max(total, done)): void {
      last = done;
      const share = done / all;
      const counted = `${Math.floor(share * 100)} %  ${number(done)} of ${number(all)}`;
      if (output.isTTY) {
        output.write(`\r${'█'.repeat(share * barWidth).padEnd(barWidth, '░')} ${counted}`);
        open = true;
      } else if (Math.floor(share * 10) > tenths) {
        tenths = Math.floor(share * 10);
        output.write(`${counted}\n`);
      }
    },
    /** Ends the line of the bar, so that another one can follow. */
    breakLine(): void {
      if (open) output.write('\n');
      open = false;
    },
    /** Nothing is left: what was counted before and not seen, the servers encrypted themselves. */
    finish(): void {
      if (last > 0) this.show(last, last);
      this.breakLine();
    },
  };
}

/** Says how many secrets stand under which key; the first of the ring comes first. */
async function tellCounts(
  config: Config,
  database: Database,
  output: NodeJS.WriteStream,
): Promise<{ left: number }> {
  const ids = config.encryptionKeys.map((key) => key.id);
  const counts = await countEnvelopes(database);
  let left = 0;
  for (const id of new Set([...ids, ...counts.keys()])) {
    const count = counts.get(id) ?? 0;
    if (id !== ids[0]) left += count;
    const place = id === ids[0] ? '  (active)' : ids.includes(id) ? '' : '  (not in the ring)';
    const name = id === '' ? 'no envelope' : id;
    output.write(`${name}: ${number(count)}${place}\n`);
  }
  return { left };
}

/** Says how many secrets stand under which key of the ring, whether or not the ring is whole. */
export async function showKeyUse(config: Config, output: NodeJS.WriteStream): Promise<void> {
  const database = await openDatabase(config.databaseUrl);
  try {
    const { left } = await tellCounts(config, database, output);
    output.write(left === 0 ? 'Nothing to rotate.\n' : `${number(left)} to rotate.\n`);
  } finally {
    await database.close();
  }
}

/** Running servers must open what is about to be sealed under the new key. */
async function requireKnownToServers(database: Database, keyId: string): Promise<void> {
  if (await hasSealed(database, keyId)) return;
  throw new OperatorError(
    `No server has been started yet with "${keyId}" first in CALHOOK_ENCRYPTION_KEYS; one that does not know it could not open what is encrypted under it. Restart all servers with this list first (docs/operations.md). If none is running, add --offline.`,
  );
}

/**
 * Encrypts all stored secrets under the first key of the ring, and says so.
 *
 * @returns false when something is left under another key
 * @throws {OperatorError} when the ring does not fit the data, or no server knows its first key
 */
export async function runRotation(config: Config, run: RotationRun): Promise<boolean> {
  const { output, problems, dryRun } = run;
  const say = (line: string) => output.write(`${line}\n`);
  const database = await openDatabase(config.databaseUrl);
  try {
    const [active] = config.encryptionKeys;
    if (active && !run.offline) await requireKnownToServers(database, active.id);
    const vault = await openVault(config.encryptionKeys, database, Date.now);
    const { left: total } = await tellCounts(config, database, output);
    const progress = progressTo(output, total);
    const { resealed, unreadable } = await rotateKeys(database, vault, {
      batch: run.batch,
      dryRun,
      onProgress: (done) => progress.show(done),
      onUnreadable(error) {
        progress.breakLine();
        problems.write(`${error.message}\n`);
      },
    });
    progress.finish();
    const under = `"${vault.activeKeyId}"`;
    if (dryRun) {
      say(`Dry run: ${number(resealed)} would be encrypted anew under ${under}.`);
    } else {
      say(`Encrypted ${number(resealed)} anew under ${under}.`);
    }
    if (unreadable > 0) {
      say(
        `${number(unreadable)} could not be opened: see "What does not open" in docs/operations.md.`,
      );
    }
    if (dryRun) return unreadable === 0;
    const { left } = await tellCounts(config, database, output);
    if (left === 0) {
      say('No other key is needed any more: take them out of CALHOOK_ENCRYPTION_KEYS.');
    } else if (left > unreadable) {
      say(
        `${number(left - unreadable)} were stored under another key meanwhile: restart all servers with ${under} first in CALHOOK_ENCRYPTION_KEYS, then run this again.`,
      );
    }
    return left === 0;
  } finally {
    await database.close();
  }
}
