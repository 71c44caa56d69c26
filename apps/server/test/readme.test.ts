import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { agentToolNames, agentTools } from '@calhook/contract';
import { expect, test } from 'vitest';
import { configVariables } from '../src/config.ts';
import { openTestApp } from './support/test-app.ts';

const root = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The rows of the table between the two markers of that name, cell by cell, without code quotes. */
function tableRows(name: string, document = readme): string[][] {
  const [, table = ''] = document.split(new RegExp(`<!-- ${name}:(?:start|end) -->`));
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

test('the README lists every variable with its purpose and default', () => {
  const variables = configVariables.map(({ variable, purpose, fallback }) => [
    variable,
    purpose,
    fallback ?? 'mandatory',
  ]);
  expect(
    tableRows('variables').map((cells) => cells.map((cell) => (cell === 'none' ? '' : cell))),
  ).toEqual(variables);
});

test('the README lists every route of the API with its scope', async () => {
  const server = await openTestApp({ dialect: 'sqlite' });
  try {
    const { body } = await server.call('GET', '/openapi.json', undefined, null);
    const paths = body.paths as Record<string, Record<string, { description?: string }>>;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { description = '' }]) => [
        `${method.toUpperCase()} ${path}`,
        /^Scope: `(.+)`$/m.exec(description)?.[1] ?? '',
      ]),
    );
    const webhook = 'POST /api/webhook/appointment';
    const listed = tableRows('api').map(([route = '', scope = '']) => [
      route,
      // Needed only by who calls with a key.
      route === webhook ? '' : scope,
    ]);
    expect(listed.sort()).toEqual(routes.sort());
  } finally {
    await server.close();
  }
});

test('docs/mcp.md lists every tool with its scope', () => {
  const listed = tableRows('tools', readFileSync(join(root, 'docs/mcp.md'), 'utf8'));
  expect(listed.map(([tool, scope]) => [tool, scope])).toEqual(
    agentToolNames.map((name) => [name, agentTools[name].scope]),
  );
});

test('links between the documents lead somewhere', () => {
  const documents = globSync(['*.md', 'docs/*.md'], { cwd: root });
  const links = documents.flatMap((document) =>
    [...readFileSync(join(root, document), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      ([, target = '']) => join(dirname(document), target),
    ),
  );
  expect(links).toContain('docs/errors.md');
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
});
