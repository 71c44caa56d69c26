import { defineConfig } from 'vitest/config';

/** A real n8n is heavy: one file at a time, and time for n8n to be installed at the first run. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['e2e/n8n/**/*.test.ts'],
    globalSetup: ['apps/server/test/support/postgres-server.ts', 'e2e/n8n/support/installed.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
