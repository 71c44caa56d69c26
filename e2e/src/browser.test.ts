import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Look, launchBrowser, looks, openContext } from './browser.ts';
import { callDemo, startDemoProcess } from './demo-process.ts';
import { nextTuesday } from './next-tuesday.ts';

const screenshots = fileURLToPath(new URL('../screenshots', import.meta.url));
const keepScreenshots = process.env.CALHOOK_SCREENSHOTS === '1';

/** Contrast goes with the colours and the size of targets with the width: these two have each once. */
const examined: readonly Look[] = ['desktop-light', 'mobile-dark'];

let demo: Awaited<ReturnType<typeof startDemoProcess>>;
let browser: Browser;
beforeAll(async () => {
  [demo, browser] = await Promise.all([startDemoProcess(), launchBrowser()]);
  await mkdir(screenshots, { recursive: true });
});
afterAll(async () => {
  await browser.close();
  await demo.stop();
});

describe.each(Object.keys(looks) as Look[])('a person with a browser, %s', (look) => {
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  beforeEach(async () => {
    context = await openContext(browser, look);
    faults = [];
    context.on('page', (opened) => {
      opened.on('pageerror', (error) => faults.push(String(error)));
      opened.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) faults.push(message.text());
      });
    });
    page = await context.newPage();
  });
  afterEach(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });

  /** Checks that everybody can use the page as it is now, and keeps its picture when asked to. */
  async function inspect(name: string): Promise<void> {
    if (examined.includes(look)) {
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      expect(found, name).toEqual([]);
    }
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `${name} is wider than its window`).toBe(0);
    await keep(name, page);
  }

  async function keep(name: string, shown: Page): Promise<void> {
    if (keepScreenshots) await shown.screenshot({ path: `${screenshots}/${name}-${look}.png` });
  }

  const heading = () => page.getByRole('heading', { level: 1 }).textContent();
  const click = (name: string) => page.getByRole('button', { name }).click();

  /** A bot of its own, and the page that its owner sees before Google. */
  async function openConnectLink(): Promise<string> {
    const made = await callDemo(demo, 'POST', '/api/bots', {
      name: 'Hopper Consulting',
      timeZone: 'America/New_York',
    });
    const botId = String(made.body.id);
    const link = await callDemo(demo, 'POST', `/api/calendar/connect/${botId}`);
    await page.goto(String(link.body.url));
    expect(await heading()).toBe('Connect your calendar to Hopper Consulting');
    return botId;
  }

  async function chooseGrace(): Promise<void> {
    await click('Continue to Google');
    await page.getByRole('button', { name: 'grace@example.com' }).click();
    await page.getByText('grace@example.com').waitFor();
  }

  const events = async (account: string, date: string, customer: string) => {
    await page.goto(`${demo.sandboxUrl}/calendar/${account}?week=${date}`);
    return page.getByRole('article').filter({ hasText: customer });
  };

  test('connects a calendar, and a booking lands in it and in no other', async () => {
    const botId = await openConnectLink();
    await inspect('connect');
    await chooseGrace();
    expect(await page.getByRole('checkbox').isChecked()).toBe(true);
    await click('Continue');
    expect(await heading()).toBe('Your calendar is connected');
    expect(await page.getByRole('main').textContent()).toContain('grace@example.com');
    await inspect('connected');

    const status = await callDemo(demo, 'GET', `/api/calendar/status/${botId}`);
    expect(status.body).toMatchObject({
      connected: true,
      expired: false,
      account: 'grace@example.com',
    });
    const date = nextTuesday();
    const email = `api-${look}@example.org`;
    const booked = await callDemo(demo, 'POST', `/api/calendar/create-event/${botId}`, {
      customerName: 'Katherine Johnson',
      email,
      date,
      time: `${9 + Object.keys(looks).indexOf(look)}:00`.padStart(5, '0'),
    });
    expect(booked.status).toBe(201);
    expect(await (await events('grace@example.com', date, email)).count()).toBe(1);
    expect(await (await events('ada@example.com', date, email)).count()).toBe(0);
  });

  test('books on the sample website, and another customer is refused the same time', async () => {
    const time = `${10 + Object.keys(looks).indexOf(look)}:30`;
    const email = `site-${look}@example.org`;
    const fillIn = async (name: string, address: string) => {
      await page.getByLabel('Full name').fill(name);
      await page.getByLabel('E-mail').fill(address);
      await page.getByLabel('Phone').fill('+44 20 7946 0000');
      await page.getByLabel('Time').fill(time);
    };
    const answer = async () => {
      const status = page.getByRole('status');
      await status.filter({ hasText: /\S/ }).waitFor();
      return status.textContent();
    };
    await page.goto(demo.siteUrl);
    await inspect('website');
    const date = await page.getByLabel('Date').inputValue();
    await fillIn('Alan Turing', email);
    await click('Book');
    expect(await answer()).toMatch(/^Booked: .*The invitation is on its way\.$/);
    await page.getByRole('status').scrollIntoViewIfNeeded();
    await inspect('website-booked');

    const [calendar] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Watch the owner’s calendar' }).click(),
    ]);
    await calendar.waitForLoadState();
    expect(calendar.url()).toBe(`${demo.sandboxUrl}/calendar/ada%40example.com?week=${date}`);
    const event = calendar.getByRole('article').filter({ hasText: email });
    expect(await event.count()).toBe(1);
    await keep('calendar', calendar);
    await calendar.close();

    await page.reload();
    // The site proposes tomorrow, which may have become another day.
    await page.getByLabel('Date').fill(date);
    await fillIn('Emmy Noether', `other-${look}@example.org`);
    await click('Book');
    expect(await answer()).toMatch(
      /^Sorry, .* is already taken\. Would one of these suit you: .*\?$/,
    );
    await page.getByRole('status').scrollIntoViewIfNeeded();
    await inspect('website-refused');

    expect(await (await events('ada@example.com', date, `other-${look}@example.org`)).count()).toBe(
      0,
    );
    expect(await (await events('grace@example.com', date, email)).count()).toBe(0);
  });

  test('is told what happened and what to do when the calendar is not connected', async () => {
    const botId = await openConnectLink();
    await chooseGrace();
    await click('Cancel');
    expect(await heading()).toBe('Access was not allowed');
    await inspect('denied');

    await page.getByRole('link', { name: 'Try again' }).click();
    await chooseGrace();
    await page.getByRole('checkbox').uncheck();
    await click('Continue');
    expect(await heading()).toBe('The calendar box was not ticked');
    await inspect('box-not-ticked');
    const status = await callDemo(demo, 'GET', `/api/calendar/status/${botId}`);
    expect(status.body).toMatchObject({ connected: false });

    await page.getByRole('link', { name: 'Try again' }).click();
    await chooseGrace();
    await click('Continue');
    expect(await heading()).toBe('Your calendar is connected');
    await page.goto(`${demo.url}/connect/not-a-link`);
    expect(await heading()).toBe('This link is no longer valid');
    await inspect('link-not-valid');
  });

  test('is asked before another account is used, and mends an ended connection', async () => {
    const botId = await openConnectLink();
    const choose = async (account: string) => {
      await click('Continue to Google');
      await page.getByRole('button', { name: account }).click();
      await page.getByText(account).waitFor();
      await click('Continue');
    };
    await choose('grace@example.com');
    expect(await heading()).toBe('Your calendar is connected');
    const link = await callDemo(demo, 'POST', `/api/calendar/connect/${botId}`);
    await page.goto(String(link.body.url));
    await choose('ada@example.com');
    expect(await heading()).toBe('Use another account?');
    await inspect('other-account');
    await page.reload();
    await click('Keep grace@example.com');
    expect(await heading()).toBe('Nothing was changed');
    await inspect('nothing-changed');

    const again = await callDemo(demo, 'POST', `/api/calendar/connect/${botId}`);
    await page.goto(String(again.body.url));
    await choose('ada@example.com');
    await click('Change to ada@example.com');
    expect(await heading()).toBe('Your calendar is connected');
    await click('Disconnect');
    expect(await heading()).toBe('Your calendar is disconnected');
    await inspect('disconnected');
    const status = await callDemo(demo, 'GET', `/api/calendar/status/${botId}`);
    expect(status.body).toMatchObject({ connected: false });
  });

  test('moves and cancels an appointment by its link', async () => {
    const email = `manage-${look}@example.org`;
    const booked = await callDemo(demo, 'POST', `/api/calendar/create-event/${demo.botId}`, {
      customerName: 'Emmy Noether',
      email,
      date: nextTuesday(),
      time: `${13 + Object.keys(looks).indexOf(look)}:00`,
    });
    expect(booked.status).toBe(201);
    await page.goto(String(booked.body.manageUrl));
    expect(await heading()).toBe('Your appointment');
    await inspect('manage');

    await page.getByRole('link', { name: 'Choose another time' }).click();
    await page.getByRole('link', { name: 'Later' }).click();
    expect(await heading()).toBe('Choose another time');
    await inspect('manage-times');
    await page.getByRole('button', { name: '11:15' }).first().click();
    expect(await heading()).toBe('Your appointment is moved');
    expect(await page.getByRole('main').textContent()).toContain('11:15');
    await inspect('manage-moved');

    await page.getByRole('link', { name: 'See the appointment' }).click();
    await page.getByRole('link', { name: 'Cancel this appointment' }).click();
    await inspect('manage-cancel');
    await click('Cancel it');
    expect(await heading()).toBe('Your appointment is cancelled');
    await inspect('manage-cancelled');
    const path = `/api/calendar/appointments/${demo.botId}/${booked.body.appointmentId}`;
    expect((await callDemo(demo, 'GET', path)).body).toMatchObject({ status: 'cancelled' });
  });

  test('looks up an error code', async () => {
    await page.goto(`${demo.url}/docs/errors`);
    await inspect('error-codes');
    await page.goto(`${demo.url}/docs/errors#slot_unavailable`);
    const entry = page.getByRole('region', { name: 'slot_unavailable' });
    expect(await entry.textContent()).toContain('409');
    await keep('error-code', page);
  });
});
