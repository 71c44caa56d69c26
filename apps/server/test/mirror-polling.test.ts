import { expect, test } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import type { TestApp } from './support/test-app.ts';
import {
  listsDuring,
  mirroredBot,
  type TestMirror,
  utc,
  withMirrors,
} from './support/test-mirror.ts';

const minute = 60_000;
const hour = 60 * minute;
const tuesday = ['2026-01-13T00:00Z', '2026-01-14T00:00Z'] as const;

describeOnEachDatabase('polling', (dialect) => {
  let app: TestApp;
  let first: TestMirror;
  let second: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own: first } = opened);
    second = await opened.openAnother();
  });

  /** A bot whose calendar was pulled, and a way to see its row. */
  async function pulledBot() {
    const bot = await mirroredBot(app);
    await first.pulled(bot.botId, ...tuesday);
    return { ...bot, row: () => first.rowOf(bot.botId) };
  }

  test('follows an owner whom nobody asked about, and not before it is time', async () => {
    const { botId, put } = await pulledBot();
    put(utc('2026-01-13T09:00', '2026-01-13T10:00'));
    app.sandbox.clock.advance(10 * minute);
    expect(await first.polling.pollDue(100)).toBe(0);
    app.sandbox.clock.advance(10 * minute);
    expect(await first.polling.pollDue(100)).toBe(1);
    expect(await first.busy(botId, ...tuesday)).toHaveLength(1);
    expect(await first.polling.pollDue(100)).toBe(0);
  });

  test('by two processes polls each calendar once', async () => {
    for (let i = 0; i < 12; i++) await pulledBot();
    app.sandbox.clock.advance(hour);
    const taken: number[] = [];
    const lists = await listsDuring(app, async () => {
      for (let round = 0; round < 6; round++) {
        const due = await Promise.all([first.polling.pollDue(4), second.polling.pollDue(4)]);
        taken.push(...due);
      }
    });
    const all = await runSql(app.database, 'select count(*) as n from calendars');
    expect(lists).toHaveLength(Number(all[0]?.n));
    expect(Math.max(...taken)).toBe(4);
  });

  test('forgets the calendar of an account that no bot is connected to', async () => {
    const { botId, row } = await pulledBot();
    expect(await row()).toBeDefined();
    await app.call('POST', `/api/calendar/disconnect/${botId}`);
    app.sandbox.clock.advance(hour);
    await first.polling.pollDue(100);
    expect(await row()).toBeUndefined();
  });

  test('waits for an owner who must connect again, and goes on after the pull that follows', async () => {
    const { botId, email, row } = await pulledBot();
    app.sandbox.revokeGrants(email);
    app.sandbox.clock.advance(2 * hour);
    await first.polling.pollDue(100);
    expect((await row())?.due_at).toBeNull();
    app.sandbox.clock.advance(24 * hour);
    const lists = await listsDuring(app, () => first.polling.pollDue(100));
    expect(lists.length).toBeLessThan(20);
    expect((await row())?.due_at).toBeNull();
    const link = await app.call('POST', `/api/calendar/connect/${botId}`);
    expect((await connectAs(app.sandbox, String(link.body.url), { account: email })).ok).toBe(true);
    await expect
      .poll(async () => (await first.connectionOf(botId).catch(() => null))?.status)
      .toBe('connected');
    await first.pulled(botId, ...tuesday);
    expect(Number((await row())?.due_at)).toBeGreaterThan(app.sandbox.clock.now());
  });

  test('of a calendar that fails is repeated later and later', async () => {
    const { row } = await pulledBot();
    app.sandbox.clock.advance(hour);
    const rule = app.sandbox.faults.add({
      route: 'events.list',
      times: 10_000,
      fault: { kind: 'apiError', name: 'notFound' },
    });
    await first.polling.pollDue(100);
    rule.remove();
    expect(await row()).toMatchObject({ failures: 1, failure: 'notFound' });
    expect(await first.polling.pollDue(100)).toBe(0);
    app.sandbox.clock.advance(2 * minute);
    await first.polling.pollDue(100);
    expect(await row()).toMatchObject({ failures: 0, failure: null });
  });

  test('finds what is due by an index of it alone', async () => {
    if (dialect === 'postgres') {
      // With a few rows, PostgreSQL would read them all.
      const name = new URL(app.database.url).pathname.slice(1);
      await runSql(app.database, `alter database ${name} set enable_seqscan = off`);
    }
    const select =
      'select calendar, due_at from calendars where due_at is not null and due_at <= 5';
    const explain =
      dialect === 'sqlite'
        ? `explain query plan ${select} order by due_at limit 10`
        : `explain (costs off) ${select} order by due_at limit 10`;
    expect(JSON.stringify(await runSql(app.database, explain))).toContain('calendars_due');
  });
});
