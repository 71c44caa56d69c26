import { installN8n, type N8nInstallation } from 'local-n8n';
import type { TestProject } from 'vitest/node';
import { buildCalhookNode } from './calhook-node.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The real n8n of the test run. */
    n8n: N8nInstallation;
  }
}

/**
 * Installs n8n and what builds its community packages, or finds those that an earlier run installed:
 * on a new machine that takes longer than the hook of a suite may.
 */
export default async function provideN8n(project: TestProject): Promise<void> {
  project.provide('n8n', await installN8n((line) => process.stdout.write(`${line}\n`)));
  const built = await buildCalhookNode();
  await built.remove();
}
