import { openDatabase } from '../../src/db/index.ts';
import { openVault } from '../../src/vault/index.ts';
import type { TestDatabase } from './databases.ts';
import { runSql } from './stored.ts';
import { anyTime, startOfTests } from './test-app.ts';

/** A key of the ring whose bytes follow from its id. */
export const keyOf = (id: string) => ({ id, bytes: Buffer.alloc(32, id) });

/** The variable that makes a ring of keys by their ids; the first encrypts. */
export const ringOf = (...ids: string[]) => ({
  CALHOOK_ENCRYPTION_KEYS: ids.map((id) => `${id}:${keyOf(id).bytes.toString('base64')}`).join(','),
});

const literal = (value: unknown) =>
  value === null ? 'null' : typeof value === 'number' ? String(value) : `'${String(value)}'`;

/** Opens the vault of a database beside the servers, as one of them would. */
export async function openVaultOf(file: TestDatabase, ...keyIds: string[]) {
  const database = await openDatabase(file.url);
  return {
    database,
    vault: await openVault(keyIds.map(keyOf), database, () => startOfTests),
    close: () => database.close(),
  };
}

/**
 * Gives `count` further bots the grant of a connected one, each sealed for its own row under the
 * key; faster than consents. Their ids are `bot-copy-0` and so on.
 */
export async function copyConnection(
  file: TestDatabase,
  botId: string,
  keyId: string,
  count: number,
): Promise<string[]> {
  const { vault, close } = await openVaultOf(file, keyId);
  const [row] = await runSql(file, `select * from google_tokens where client_id = '${botId}'`);
  if (!row) throw new Error(`${botId} is not connected`);
  const table = 'google_tokens';
  const open = (column: 'access_token' | 'refresh_token') =>
    vault.open({ table, row: botId, column }, String(row[column]));
  const tokens = { access_token: open('access_token'), refresh_token: open('refresh_token') };
  const botIds = Array.from({ length: count }, (_, i) => `bot-copy-${i}`);
  const rowsAtOnce = 2_000;
  for (let first = 0; first < count; first += rowsAtOnce) {
    const ids = botIds.slice(first, first + rowsAtOnce);
    const { weeklyHours: _, ...further } = anyTime;
    const rules = JSON.stringify(further);
    const bots = ids.map(
      (id) => `('${id}', 'Copy', 'UTC', 60, '${rules}', '[]', ${startOfTests}, ${startOfTests})`,
    );
    const connections = ids.map((id) => {
      const copy: Record<string, unknown> = { ...row, client_id: id };
      for (const column of ['access_token', 'refresh_token'] as const) {
        copy[column] = vault.seal({ table, row: id, column }, tokens[column]);
      }
      return `(${Object.values(copy).map(literal)})`;
    });
    await runSql(
      file,
      `insert into bots (id, name, time_zone, duration_minutes, rules, allowed_origins, created_at, updated_at) values ${bots}`,
    );
    await runSql(file, `insert into google_tokens (${Object.keys(row)}) values ${connections}`);
  }
  await close();
  return botIds;
}

/** How many envelopes of all connections name each key. */
export async function keyUse(file: TestDatabase): Promise<Record<string, number>> {
  const use: Record<string, number> = {};
  for (const row of await runSql(file, 'select access_token, refresh_token from google_tokens')) {
    for (const envelope of Object.values(row)) {
      const [, keyId = ''] = String(envelope).split('.');
      use[keyId] = (use[keyId] ?? 0) + 1;
    }
  }
  return use;
}
