import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf, startDemoProcess } from './demo-process.ts';
import { repositoryRoot } from './running-process.ts';

const run = promisify(execFile);

let demo: Awaited<ReturnType<typeof startDemoProcess>>;
beforeAll(async () => {
  demo = await startDemoProcess();
});
afterAll(() => demo.stop());

/** The shell blocks between the two markers of the README, in order. */
async function curlBlocks(): Promise<string[]> {
  const readme = await readFile(join(repositoryRoot, 'README.md'), 'utf8');
  const marked = /<!-- curl:start -->(.*?)<!-- curl:end -->/s.exec(readme)?.[1] ?? '';
  return [...marked.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

test('the curl lines of the README connect a second bot and book into its calendar alone', async () => {
  const blocks = await curlBlocks();
  expect(blocks.length).toBeGreaterThan(0);
  // One shell, as a reader has one terminal: a block may use what an earlier one set.
  const { stdout } = await run('sh', ['-e', '-c', blocks.join('\n')], {
    env: { ...process.env, URL: demo.url, KEY: demo.apiKey, SANDBOX: demo.sandboxUrl },
    timeout: 20_000,
  });
  expect(stdout).toContain('"connected":true');
  expect(stdout).toContain('"expired":false');
  expect(stdout).toContain('"status":"confirmed"');
  expect(stdout).not.toContain('"success":false');

  const events = await eventsOf(demo.sandboxUrl, 'grace@example.com');
  expect(events).toHaveLength(1);
  expect(stdout).toContain(`"eventId":"${events[0]?.id}"`);
  expect(await eventsOf(demo.sandboxUrl, 'ada@example.com')).toEqual([]);
});
