import { installN8n, type N8nInstallation } from 'local-n8n';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The real n8n of the test run. */
    n8n: N8nInstallation;
  }
}

/** Installs n8n, or finds the one that an earlier run installed. */
export default async function provideN8n(project: TestProject): Promise<void> {
  project.provide('n8n', await installN8n((line) => process.stdout.write(`${line}\n`)));
}
