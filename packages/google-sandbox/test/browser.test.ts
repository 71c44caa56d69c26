import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../src/index.ts';
import { launchChromium } from './chromium.ts';
import {
  ADA,
  authorizationUrl,
  BOB,
  CLIENT,
  type ConsentOptions,
  oauthClient,
  startTestSandbox,
} from './google-client.ts';
import { inWeek, seedWeek, WEEK_NOW } from './sample-week.ts';

const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url));

let sandbox: Sandbox;
let browser: Browser;
let page: Page;
/** The application: it has nothing but a place to come back to. */
const application = createServer((_, response) => response.end('back in the app'));
let redirectUri: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    application.listen(0, '127.0.0.1', resolve);
  });
  redirectUri = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  sandbox = await startTestSandbox({ now: WEEK_NOW });
  sandbox.addClient({ ...CLIENT, redirectUris: [redirectUri], appName: 'Calhook' });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1240, height: 860 } });
});
afterAll(async () => {
  await browser.close();
  await sandbox.close();
  application.closeAllConnections();
  application.close();
});

/** Keeps a picture for the README, when asked to. */
async function picture(name: string, width: number, height: number): Promise<void> {
  if (!process.env.CALHOOK_SCREENSHOTS) return;
  await page.setViewportSize({ width, height });
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
}

function consentUrl(options: ConsentOptions = {}): string {
  const { extra, ...rest } = options;
  return authorizationUrl(oauthClient(sandbox), {
    ...rest,
    extra: { ...extra, redirect_uri: redirectUri },
  });
}

async function callback(): Promise<URLSearchParams> {
  await page.getByText('back in the app').waitFor();
  return new URL(page.url()).searchParams;
}

describe('in a browser', () => {
  test('a person chooses an account, sees what is asked, unticks and continues', async () => {
    await page.goto(
      consentUrl({
        prompt: 'consent select_account',
        extra: { login_hint: ADA },
      }),
    );
    await page.getByRole('heading', { name: 'Choose an account' }).waitFor();
    expect(await page.getByRole('button').allInnerTexts()).toEqual([
      expect.stringContaining(ADA),
      expect.stringContaining(BOB),
    ]);
    await picture('choose-account', 640, 440);
    await page.getByRole('button', { name: ADA }).click();
    await page.getByRole('heading', { name: 'Calhook wants access' }).waitFor();
    const box = page.getByRole('checkbox', { name: 'calendar.events' });
    expect(await box.isChecked()).toBe(true);
    expect(await page.getByRole('checkbox').count()).toBe(1);
    await picture('consent', 640, 600);
    await box.uncheck();
    await page.getByRole('button', { name: 'Continue' }).click();
    expect((await callback()).get('scope')).not.toContain('calendar');

    await page.goto(consentUrl());
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await callback()).get('error')).toBe('access_denied');
  });

  test('it works without scripts, and remembers who is signed in', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    const url = consentUrl({ prompt: undefined });
    await plain.goto(url);
    await plain.getByRole('button', { name: BOB }).click();
    await plain.getByRole('button', { name: 'Continue' }).click();
    await plain.waitForURL(`${redirectUri}**`);
    // Granted and signed in: no page at all the second time.
    await plain.goto(url);
    expect(plain.url().startsWith(redirectUri)).toBe(true);
    await context.close();
  });

  test('the week shows events as they come, and the mailbox what guests were sent', async () => {
    const guest = { attendees: [{ email: 'grace@customer.example' }] };
    seedWeek(sandbox);
    // A page hears of what comes once its stream is open, which loading does not wait for.
    const live = page.waitForResponse('**/sandbox/live');
    await page.goto(`${sandbox.url}/calendar/${ADA}`);
    await live;
    await page.getByText('Colouring: Katherine Johnson').waitFor();
    expect(await page.getByText('Stand-up').count()).toBe(5);
    expect(await page.getByText('Booked just now').count()).toBe(0);
    await page.evaluate(() => {
      document.body.dataset.kept = 'yes';
    });
    sandbox.putEvent(
      ADA,
      inWeek(4, 11, 60, { summary: 'Booked just now', ...guest }),
      'primary',
      'all',
    );
    await page.getByText('Booked just now').waitFor();
    // It appeared without a reload.
    expect(await page.evaluate(() => document.body.dataset.kept)).toBe('yes');
    await picture('calendar', 1240, 800);
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('calendar-phone', 390, 844);
    await page.emulateMedia({ colorScheme: 'light' });

    await page.getByRole('link', { name: 'Later' }).click();
    expect(await page.getByText('Booked just now').count()).toBe(0);

    await page.goto(`${sandbox.url}/mailbox/grace@customer.example`);
    await page.getByText('Invitation: Haircut: Grace Hopper').click();
    await page.locator('details[open]').getByText('BEGIN:VCALENDAR').waitFor();
    await picture('mailbox', 1000, 700);

    await page.goto(sandbox.url);
    await page.getByRole('heading', { name: 'Accounts' }).waitFor();
    await picture('overview', 1000, 700);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
    ).toBe(true);
  });
});
