import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver } from 'playwright-core';

/**
 * Left out of the package's arguments, which suit a cloud function: two that switch off rules that
 * a visitor's browser has (CORS among them), and one process for all, which ends with its first context.
 */
const unwanted = ['--disable-web-security', '--allow-running-insecure-content', '--single-process'];

/** Starts the real Chromium that comes inside the npm package. */
export async function launchBrowser(): Promise<Browser> {
  return driver.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...chromium.args.filter((argument) => !unwanted.includes(argument)),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
    headless: true,
  });
}

/** What people look at the pages with. */
export const looks = {
  'desktop-light': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  'desktop-dark': { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  'mobile-light': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  'mobile-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
} as const;
export type Look = keyof typeof looks;

/** A person's browser: cookies of its own, a look of its own. */
export async function openContext(browser: Browser, look: Look): Promise<BrowserContext> {
  const context = await browser.newContext({
    ...looks[look],
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    deviceScaleFactor: 1,
  });
  context.setDefaultTimeout(10_000);
  return context;
}
