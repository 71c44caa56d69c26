import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCatalogue, errorCodes, fillSentence } from './errors.ts';
import { errorsPage } from './errors-page/page.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');

/** What docs/errors.md says of each code, read from its headings. */
const documented = new Map(
  [...page.matchAll(/^## (\S+)\n\n\*\*(\d+) · (.+)\*\*\n\n> (.+)$/gm)].map(
    ([, code = '', status, title, sentence]) => [code, { status: Number(status), title, sentence }],
  ),
);

// The demo only reads codes.
const serverSource = globSync('apps/server/src/**/*.ts', { cwd: root })
  .filter((path) => !path.endsWith('.test.ts') && !path.includes('/demo/'))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

/** Names of the values that some code path of the server gives to a sentence. */
const filled = new Set(
  [...serverSource.matchAll(/\bvalues: \{([^}]*)\}/g)].flatMap(([, members = '']) =>
    members.split(',').map((member) => member.trim().split(':')[0] ?? ''),
  ),
);

function placeholdersOf(code: ErrorCode): string[] {
  return [...errorCatalogue[code].sentence.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

describe('docs/errors.md and the catalogue', () => {
  test('document each code once, in the order of the catalogue, and no other', () => {
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, code]) => code)).toEqual(errorCodes);
  });

  test.each(errorCodes)('agree on %s', (code) => {
    const { status, title, sentence } = errorCatalogue[code];
    expect(documented.get(code)).toEqual({ status, title, sentence });
  });

  test('agree to the letter: run `npm run docs:errors` after a change', () => {
    expect(page).toBe(errorsPage());
  });
});

describe('the catalogue and the server', () => {
  test.each(errorCodes)('%s is answered somewhere', (code) => {
    expect(serverSource).toContain(`'${code}'`);
  });

  test.each(errorCodes.filter((code) => placeholdersOf(code).length > 0))(
    'every placeholder of %s is filled somewhere',
    (code) => {
      expect([...filled]).toEqual(expect.arrayContaining(placeholdersOf(code)));
    },
  );

  test.each(errorCodes)('%s has the status of a refusal or a failure', (code) => {
    expect(errorCatalogue[code].status).toBeGreaterThanOrEqual(400);
    expect(errorCatalogue[code].status).toBeLessThan(600);
  });
});

test('a sentence is filled in, and a value that is missing leaves no braces behind', () => {
  expect(fillSentence('{a} and {b}{c}.', { a: 'one', b: 2 })).toBe('one and 2.');
});
