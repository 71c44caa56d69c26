import type { CommunityPackage } from 'local-n8n';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCalhookNode } from './support/calhook-node.ts';

let built: CommunityPackage;
beforeAll(async () => {
  built = await buildCalhookNode();
});
afterAll(() => built?.remove());

test('the linter of n8n finds nothing, not even a warning, by its stock rules', async () => {
  expect(await built.lint()).not.toMatch(/error|warning {2}|problem/);
}, 120_000);

test('the scanner of n8n passes the source and what users get', async () => {
  expect(await built.scan()).toEqual({ source: { passed: true }, packed: { passed: true } });
}, 120_000);
