import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../src/browser.ts';
import { type N8nForTests, startN8nForTests } from './support/n8n-for-tests.ts';
import { headerAuth, readWorkflow, workflowFiles } from './support/workflow-files.ts';

const pictures = join(import.meta.dirname, '../../docs/n8n');
const keepPictures = process.env.CALHOOK_SCREENSHOTS === '1';
const patienceMs = 60_000;

let n8n: N8nForTests;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  n8n = await startN8nForTests({
    engine: 'vm',
    credentials: ['calhookApiKey001', 'calhookOperator1'].map((id) => headerAuth(id, 'chk_…')),
    workflows: workflowFiles.map(readWorkflow),
    published: [],
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
});

test.each(workflowFiles)(
  '%s opens in the editor whole, and lacks nothing',
  async (file) => {
    const { id, nodes } = readWorkflow(file);
    await page.goto(`${n8n.url}/workflow/${id}`);
    const drawn = page.locator('[data-test-id="canvas-node"], [data-test-id="sticky"]');
    await expect.poll(() => drawn.count(), { timeout: patienceMs }).toBe(nodes.length);
    await page.keyboard.press('1');
    // The model of the agent needs a credential that each user makes for himself; nothing else does.
    const incomplete = page.locator('[data-test-id="node-issues"]');
    expect(await incomplete.count()).toBe(file === 'booking-agent.json' ? 1 : 0);
    if (keepPictures) {
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
