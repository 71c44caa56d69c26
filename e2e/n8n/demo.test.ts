import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../apps/server/test/support/free-ports.ts';
import { launchBrowser, openContext } from '../src/browser.ts';
import {
  demoCommand,
  demoReady,
  directoryForThisTest,
  eventsOf,
  startForThisTest,
} from '../src/demo-process.ts';

/** n8n may take five seconds to end by itself. */
const stoppedWithinMs = 15_000;

test('the demo with --n8n books from the website through n8n, and ends as a whole', async () => {
  const data = await directoryForThisTest();
  const port = await freePorts(5);
  const running = startForThisTest(...demoCommand('--n8n', '--port', String(port), '--data', data));
  const demo = await demoReady(running);
  expect(demo.n8nUrl).toBe(`http://127.0.0.1:${port + 3}`);
  expect(running.output().stderr).toBe('');

  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await (await openContext(browser, 'desktop-light')).newPage();
  const posted: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posted.push(request.url());
  });
  await page.goto(demo.siteUrl);
  await page.getByLabel('Full name').fill('Katherine Johnson');
  await page.getByLabel('E-mail').fill('katherine@example.org');
  const status = page.getByRole('status');
  await page.getByRole('button', { name: 'Book' }).click();
  await expect.poll(() => status.textContent(), { timeout: 20_000 }).toMatch(/^Booked: /);
  expect(posted).toEqual([`${demo.n8nUrl}/webhook/appointment`]);
  const events = await eventsOf(demo.sandboxUrl, 'ada@example.com');
  expect(events.map(({ summary }) => summary)).toEqual([
    expect.stringContaining('Katherine Johnson'),
  ]);

  await page.getByLabel('E-mail').fill('other@example.org');
  await page.getByRole('button', { name: 'Book' }).click();
  await expect.poll(() => status.textContent(), { timeout: 20_000 }).toMatch(/already taken/);

  running.signal('SIGTERM');
  await running.groupGone(stoppedWithinMs);
  expect(await running.ended).toEqual({ code: 0, signal: null });
}, 240_000);

test('a signal while n8n starts leaves no process behind', async () => {
  const data = await directoryForThisTest();
  const port = await freePorts(5);
  const running = startForThisTest(...demoCommand('--n8n', '--port', String(port), '--data', data));
  await running.line(/^Starting n8n/);
  running.signal('SIGTERM');
  await running.groupGone(stoppedWithinMs);
});
