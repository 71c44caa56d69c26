import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../src/db/index.ts';
import { sealEnvelope } from '../src/vault/envelope.ts';
import { EnvelopeError, type SealedCell, type Vault } from '../src/vault/index.ts';
import { sealedColumns } from '../src/vault/sealed-columns.ts';
import { book, bookingOf } from './support/bookings.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { copyConnection, keyOf, openVaultOf, ringOf } from './support/sealed-connections.ts';
import { runSql } from './support/stored.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

const bookedInto = 60;

function turnBit(text: string, bit: number, encoding: 'base64url' | 'latin1'): string {
  const bytes = Buffer.from(text, encoding);
  const at = bit % (bytes.length * 8);
  bytes.writeUInt8(bytes.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
  return bytes.toString(encoding);
}

const cellOf = (index: number, row: string) => {
  const { table, column } = sealedColumns[index % sealedColumns.length] ?? sealedColumns[0];
  return { table, row, column } as SealedCell;
};
const anyCell = fc
  .tuple(fc.nat(), fc.stringMatching(/^bot-[a-z0-9]{1,12}$/))
  .map(([index, row]) => cellOf(index, row));

describeOnEachDatabase('a ciphertext', (dialect) => {
  const files: TestDatabase[] = [];
  const vaults: Awaited<ReturnType<typeof openVaultOf>>[] = [];
  let here: Vault;
  /** Another database whose operator uses the same keys. */
  let elsewhere: Vault;
  beforeAll(async () => {
    for (let i = 0; i < 2; i++) {
      const file = await createTestDatabase(dialect);
      files.push(file);
      vaults.push(await openVaultOf(file, 'k1', 'k2'));
    }
    [here, elsewhere] = vaults.map(({ vault }) => vault) as [Vault, Vault];
  });
  afterAll(async () => {
    for (const { close } of vaults) await close();
    for (const file of files) await file.drop();
  });

  const expectClosed = (cell: SealedCell, envelope: string, content: string) => {
    let error: unknown;
    try {
      here.open(cell, envelope);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(EnvelopeError);
    const { message } = error as Error;
    expect(message).toContain(`${cell.table}.${cell.column} of ${cell.row} `);
    for (const part of [content, ...envelope.split('.').slice(2)]) {
      if (part.length > 8) expect(message).not.toContain(part);
    }
  };
  // Begins with a sign that no message has, so that none holds the content by chance.
  const secrets = fc
    .string({ minLength: 9, maxLength: 200, unit: 'grapheme' })
    .map((text) => `§${text}`);

  test('opens where it was made, and in no other row, column, table or database', () => {
    const property = fc.property(anyCell, anyCell, secrets, (cell, other, content) => {
      const envelope = here.seal(cell, content);
      expect(here.open(cell, envelope)).toBe(content);
      if (JSON.stringify(cell) !== JSON.stringify(other)) expectClosed(other, envelope, content);
      expectClosed(cell, elsewhere.seal(cell, content), content);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('does not open when it was cut, lengthened, or one bit of it was turned', () => {
    const property = fc.property(
      anyCell,
      secrets,
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      (cell, content, cut, bit, ofIv) => {
        const envelope = here.seal(cell, content);
        expectClosed(cell, envelope.slice(0, cut % envelope.length), content);
        expectClosed(cell, `${envelope}AAAA`, content);
        const parts = envelope.split('.');
        const part = ofIv ? 2 : 3;
        parts[part] = turnBit(parts[part] ?? '', bit, 'base64url');
        expectClosed(cell, parts.join('.'), content);
        // Also where base64url has bits to spare.
        expectClosed(cell, turnBit(envelope, bit, 'latin1'), content);
        expectClosed(cell, envelope.replace('v1.k1.', 'v1.k2.'), content);
      },
    );
    fc.assert(property, { numRuns: 1_000 });
  });
});

describeOnEachDatabase('a database that is older than ids', (dialect) => {
  test('opens what it has', async () => {
    const file = await createTestDatabase(dialect);
    await (await openDatabase(file.url)).close();
    await runSql(file, 'drop table database_identity');
    await runSql(file, "delete from kysely_migration where name >= '0008-database-identity'");
    const key = keyOf('k1');
    const inTable = (cell: SealedCell | { table: 'key_checks'; row: string; column: string }) =>
      sealEnvelope(key, { database: '', ...cell }, 'from before');
    const check = inTable({ table: 'key_checks', row: 'k1', column: 'envelope' });
    await runSql(file, `insert into key_checks values ('k1', '${check}', 0)`);

    const { vault, close } = await openVaultOf(file, 'k1');
    for (const column of sealedColumns.keys()) {
      const cell = cellOf(column, 'bot-old');
      expect(vault.open(cell, inTable(cell))).toBe('from before');
      expect(vault.open(cell, vault.seal(cell, 'from now'))).toBe('from now');
    }
    await close();
    await file.drop();
  });
});

describeOnEachDatabase('a bot whose ciphertext was tampered with', (dialect) => {
  let server: TestApp;
  let other: TestApp;
  let untouched: string;
  let botIds: string[];
  beforeAll(async () => {
    const environment = ringOf('k1', 'k2');
    server = await openTestApp({ dialect, environment });
    untouched = await server.connectedBot();
    botIds = await copyConnection(server.database, untouched, 'k1', bookedInto);
    other = await openTestApp({ dialect, environment });
    const there = await other.connectedBot();
    await copyConnection(other.database, there, 'k1', bookedInto);
  });
  afterAll(async () => {
    await other.close();
    await server.close();
  });

  const stored = async (from: TestApp, column: string, botId: string) => {
    const [row] = await runSql(
      from.database,
      `select ${column} as envelope from google_tokens where client_id = '${botId}'`,
    );
    return String(row?.envelope);
  };
  const columns = ['access_token', 'refresh_token'] as const;
  const tampering = fc.oneof(
    fc.constantFrom('row', 'column', 'table', 'database').map((from) => ({ from, bit: 0 })),
    fc.record({ from: fc.constantFrom('cut', 'bit'), bit: fc.nat() }),
  );

  test('is refused by name, whatever was done to it; the one beside it books', async () => {
    const property = fc.asyncProperty(
      tampering,
      fc.constantFrom(...columns),
      async ({ from, bit }, column) => {
        // A bot that was not asked for before, so that its row is read.
        const botId = String(botIds.pop());
        const own = await stored(server, column, botId);
        const parts = own.split('.');
        const planted = await {
          row: () => stored(server, column, untouched),
          column: () => stored(server, columns[column === 'access_token' ? 1 : 0], botId),
          table: async () =>
            String((await runSql(server.database, 'select sealed from consent_steps'))[0]?.sealed),
          database: () => stored(other, column, botId),
          cut: () => own.slice(0, bit % own.length),
          bit: () => [...parts.slice(0, 3), turnBit(parts[3] ?? '', bit, 'base64url')].join('.'),
        }[from as 'row']();
        expect(planted).not.toBe(own);
        await runSql(
          server.database,
          `update google_tokens set ${column} = '${planted}' where client_id = '${botId}'`,
        );
        server.log.length = 0;
        server.sandbox.requests.clear();
        const answer = await book(server, botId, bookingOf());
        expect(answer, from).toMatchObject({
          status: 424,
          body: { success: false, code: 'calendar_grant_unreadable' },
        });
        expect(server.sandbox.requests).toHaveLength(0);
        const log = server.log.join('');
        expect(log).toContain(`google_tokens.${column} of ${botId} `);
        for (const part of planted.split('.').slice(2)) {
          if (part.length > 8) expect(log + answer.text).not.toContain(part);
        }
        expect((await book(server, untouched, bookingOf())).status).toBe(201);
      },
    );
    // Failures are not made smaller, since each run takes a bot.
    await fc.assert(property, { numRuns: bookedInto, endOnFailure: true });
  });
});
