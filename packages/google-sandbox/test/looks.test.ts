import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../src/index.ts';
import { launchChromium } from './chromium.ts';
import { ADA, authorizationUrl, CLIENT, oauthClient, startTestSandbox } from './google-client.ts';
import { seedWeek, WEEK_NOW } from './sample-week.ts';

/** Contrast goes with the colours, widths and the size of targets with the screen: two have each once. */
const LOOKS = {
  'desktop, light': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  'phone, dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
} as const;

let sandbox: Sandbox;
let browser: Browser;
beforeAll(async () => {
  sandbox = await startTestSandbox({ now: WEEK_NOW });
  sandbox.addClient({ ...CLIENT, appName: 'Calhook', publishingStatus: 'testing' });
  seedWeek(sandbox);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await sandbox.close();
});

const consentUrl = (extra: Record<string, string>) =>
  authorizationUrl(oauthClient(sandbox), { prompt: 'consent select_account', extra });

/** How a person comes to each page. */
const PAGES: Record<string, (page: Page) => Promise<unknown>> = {
  overview: (page) => page.goto(sandbox.url),
  calendar: (page) => page.goto(`${sandbox.url}/calendar/${ADA}`),
  mailbox: async (page) => {
    await page.goto(`${sandbox.url}/mailbox`);
    await page.getByText('Invitation: Haircut: Grace Hopper').click();
    await page.locator('details[open]').getByText('BEGIN:VCALENDAR').waitFor();
  },
  'empty mailbox': (page) => page.goto(`${sandbox.url}/mailbox/nobody@customer.example`),
  'choose-account': (page) => page.goto(consentUrl({ login_hint: ADA })),
  consent: async (page) => {
    await page.goto(consentUrl({}));
    await page.getByRole('button', { name: ADA }).click();
    await page.getByRole('checkbox').waitFor();
  },
  'refused request': (page) => page.goto(consentUrl({ redirect_uri: 'http://127.0.0.1/wrong' })),
};

describe.each(Object.entries(LOOKS))('%s', (_, { viewport, colorScheme }) => {
  test.each(Object.entries(PAGES))('%s', async (_, open) => {
    const context = await browser.newContext({ viewport, colorScheme });
    try {
      const page = await context.newPage();
      await open(page);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      const { ground, overflow } = await page.evaluate(() => ({
        ground: getComputedStyle(document.body).backgroundColor,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      }));
      expect(overflow, 'wider than the window').toBe(0);
      const brightness = Math.max(...(ground.match(/\d+/g) ?? []).map(Number));
      expect(brightness < 128 ? 'dark' : 'light').toBe(colorScheme);
    } finally {
      await context.close();
    }
  });
});

test('on a phone no name in the week is cut, and it can be turned', async () => {
  const context = await browser.newContext({ viewport: LOOKS['phone, dark'].viewport });
  const page = await context.newPage();
  await page.goto(`${sandbox.url}/calendar/${ADA}`);
  const names = page.locator('.event b');
  await names.first().waitFor();
  const cut = await names.evaluateAll((found) =>
    found.filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent),
  );
  expect(cut).toEqual([]);
  // Turned on its side it shows columns of hours, from the morning on.
  await page.setViewportSize({ width: 844, height: 390 });
  await page.waitForFunction(() => (document.querySelector('.scroll')?.scrollTop ?? 0) > 0);
  await context.close();
});
