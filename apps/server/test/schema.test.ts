import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { dumpSchema, schemaFile, writeSchema } from './support/schema-dump.ts';

describeOnEachDatabase('the tables', (dialect) => {
  test('are those of the committed dump', async () => {
    // `npm run schema:dump` runs this test to write the dump instead.
    if (process.env.CALHOOK_SCHEMA_DUMP === 'write') await writeSchema(dialect);
    expect(await dumpSchema(dialect)).toBe(await readFile(schemaFile(dialect), 'utf8'));
  });
});
