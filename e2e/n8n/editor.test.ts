import { join } from 'node:path';
import type { CommunityPackage, N8nWorkflow } from 'local-n8n';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../src/browser.ts';
import { buildCalhookNode, calhookApi, packageName, readExample } from './support/calhook-node.ts';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { headerAuth, readWorkflow, workflowFiles } from './support/workflow-files.ts';

const pictures = join(import.meta.dirname, '../../docs/n8n');
const keepPictures = process.env.CALHOOK_SCREENSHOTS === '1';
const patienceMs = 60_000;

const files = workflowFiles.map((file) => ({ from: 'workflows', file, read: readWorkflow }));
const examples = ['appointment-booking.json', 'booking-agent.json'].map((file) => ({
  from: packageName,
  file,
  read: readExample,
}));

let built: CommunityPackage;
let n8n: N8nForTests;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  built = await buildCalhookNode();
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: [
      ...['calhookApiKey001', 'calhookOperator1'].map((id) => headerAuth(id, 'chk_…')),
      calhookApi('calhookApi000001', 'http://127.0.0.1', 'chk_…'),
    ],
    workflows: [...files, ...examples].map(({ read, file }) => read(file)),
    published: [],
    communityPackages: { [packageName]: built.directory },
  });
  browser = await launchBrowser();
  const context = await browser.newContext({
    viewport: { width: 1600, height: 900 },
    deviceScaleFactor: keepPictures ? 1.5 : 1,
    colorScheme: 'light',
  });
  page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto(`${n8n.url}/signin`);
  await page.getByLabel('Email').fill(n8n.owner.email);
  await page.getByLabel('Password').fill(n8n.owner.password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/home\//);
});
afterAll(async () => {
  await browser?.close();
  await n8n?.stop();
  await built?.remove();
});

/** Opens a workflow, and waits until all of it is drawn. */
async function open({ id, nodes }: N8nWorkflow): Promise<void> {
  await page.goto(`${n8n.url}/workflow/${id}`);
  const drawn = page.locator('[data-test-id="canvas-node"], [data-test-id="sticky"]');
  await expect.poll(() => drawn.count(), { timeout: patienceMs }).toBe(nodes.length);
}

test.each([...files, ...examples])(
  '$file of $from opens in the editor whole, and lacks nothing',
  async ({ from, file, read }) => {
    await open(read(file));
    await page.keyboard.press('1');
    // The model of the agent needs a credential that each user makes for himself; nothing else does.
    const incomplete = page.locator('[data-test-id="node-issues"]');
    await expect
      .poll(() => incomplete.count(), { timeout: patienceMs })
      .toBe(file === 'booking-agent.json' ? 1 : 0);
    if (keepPictures && from === 'workflows') {
      await page.mouse.move(800, 800);
      await page.waitForFunction(() => document.getAnimations().length === 0);
      await page.screenshot({
        path: join(pictures, file.replace('.json', '.png')),
        clip: { x: 120, y: 130, width: 1420, height: 640 },
      });
    }
  },
  120_000,
);

test('the editor shows what the model of an agent fills in, and offers it for the rest', async () => {
  await open(readExample('booking-agent.json'));
  await page.locator('[data-test-id="canvas-node"][data-node-name="hold_slot"]').dblclick();
  const byModel = page.getByText('Defined automatically by the model');
  await expect.poll(() => byModel.count(), { timeout: patienceMs }).toBe(2);
  // The bot is the one field left, and stays so: the chat names it.
  const offered = page.locator('[data-test-id="from-ai-override-button"]');
  await expect.poll(() => offered.count(), { timeout: patienceMs }).toBe(1);
  if (keepPictures) {
    const path = join(pictures, 'node-as-tool.png');
    await page.screenshot({ path, clip: { x: 590, y: 65, width: 420, height: 810 } });
  }
}, 120_000);
