import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{apps,packages}/**/*.test.ts', '{bench,e2e}/**/*.test.ts'],
    // These have a run of their own, since they need a real n8n: npm run test:n8n.
    exclude: ['**/node_modules/**', 'e2e/n8n/**'],
    globalSetup: ['apps/server/test/support/postgres-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // For a busy machine; what is waited for comes at once on a quiet one.
    expect: { poll: { timeout: 20_000 } },
  },
});
