import { describe, expect, test } from 'vitest';
import { NotMirrored } from '../src/sync/window.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import { startOfTests, type TestApp } from './support/test-app.ts';
import {
  berlin,
  listsDuring,
  mirroredBot,
  type TestMirror,
  withMirrors,
} from './support/test-mirror.ts';

const hour = 3_600_000;
const day = 24 * hour;

describeOnEachDatabase('pulls of the mirror', (dialect) => {
  let app: TestApp;
  let own: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own } = opened);
  });

  test('pulls page by page, and stores nothing unless all came', async () => {
    const { botId, put } = await mirroredBot(app);
    const first = Date.parse('2026-01-13T00:00Z');
    for (let i = 0; i < 2_600; i++) {
      const [start, end] = [first + i * hour, first + (i + 0.5) * hour];
      const at = (ms: number) => ({ dateTime: new Date(ms).toISOString() });
      put({ start: at(start), end: at(end) });
    }
    const until = '2026-05-01T00:00Z';
    app.sandbox.faults.add({
      route: 'events.list',
      after: 1,
      fault: { kind: 'apiError', name: 'requiredAccessLevel' },
    });
    await expect(own.pulled(botId, '2026-01-12T00:00Z', until)).rejects.toThrow('events.list: 403');
    await expect(own.busy(botId, '2026-01-13T00:00Z', '2026-01-14T00:00Z')).rejects.toThrow(
      NotMirrored,
    );
    const lists = await own.listsOf(botId, until);
    expect(lists.map((list) => 'pageToken' in list)).toEqual([false, true]);
    expect((await own.busy(botId, '2026-01-12T00:00Z', until)).length).toBe(2_592);
    expect(await own.busy(botId, '2026-04-20T10:40Z', '2026-04-20T11:20Z')).toEqual([
      '2026-04-20T11:00/2026-04-20T11:30',
    ]);
  });

  describe('a sync token', () => {
    test.each([410, 400] as const)(
      'that Google does not take (%i) is a pull from the beginning',
      async (status) => {
        const { botId, put } = await mirroredBot(app);
        const { id } = put(berlin('2026-01-13T10:00', '2026-01-13T11:00'));
        await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
        put({ id, status: 'cancelled' });
        put(berlin('2026-01-13T12:00', '2026-01-13T13:00'));
        const name = status === 410 ? 'fullSyncRequired' : 'invalidSyncToken';
        app.sandbox.faults.add({ route: 'events.list', fault: { kind: 'apiError', name } });
        const lists = await own.listsOf(botId);
        expect(lists.map((list) => 'syncToken' in list)).toEqual([true, false]);
        expect(await own.busy(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toEqual([
          '2026-01-13T11:00/2026-01-13T12:00',
        ]);
        expect((await own.listsOf(botId)).map((list) => 'syncToken' in list)).toEqual([true]);
      },
    );

    test('that is days old is not used: the window moves on', async () => {
      const { botId, put } = await mirroredBot(app);
      put(berlin('2026-01-13T10:00', '2026-01-13T11:00'));
      await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
      const before = await own.rowOf(botId);
      app.sandbox.clock.advance(25 * hour);
      const [list] = await own.listsOf(botId);
      expect(list).not.toHaveProperty('syncToken');
      const after = await own.rowOf(botId);
      expect(Number(after?.window_end) - Number(before?.window_end)).toBeGreaterThanOrEqual(
        25 * hour,
      );
    });
  });

  test('holds what it was asked for, and throws beyond it', async () => {
    const { botId, put } = await mirroredBot(app);
    put(berlin('2027-06-13T10:00', '2027-06-13T11:00'));
    await expect(own.busy(botId, '2026-01-13T00:00Z', '2026-01-14T00:00Z')).rejects.toThrow(
      NotMirrored,
    );
    await own.pulled(botId, '2026-01-13T00:00Z', '2026-01-14T00:00Z');
    const far = ['2027-06-13T08:00Z', '2027-06-13T09:00Z'] as const;
    await expect(own.busy(botId, ...far)).rejects.toThrow(NotMirrored);
    await expect(own.busy(botId, '2026-01-01T00:00Z', '2026-01-14T00:00Z')).rejects.toThrow(
      NotMirrored,
    );
    const key = await own.keyOf(botId);
    const inside = (calendar: string, [from, to]: readonly [string, string]) =>
      own.database.transaction((tx) =>
        own.mirror.busyInTransaction(tx, calendar, Date.parse(from), Date.parse(to)),
      );
    await expect(inside(key, far)).rejects.toThrow(NotMirrored);
    await expect(inside('nobody/primary', far)).rejects.toThrow(NotMirrored);
    expect(await own.pulled(botId, ...far)).toEqual(['2027-06-13T08:00/2027-06-13T09:00']);
    expect(await inside(key, far)).toBe(true);
    const beyond = { budgetMs: 1_000, until: startOfTests + 4_000 * day };
    await expect(own.mirror.pull(await own.connectionOf(botId), beyond)).rejects.toThrow(
      RangeError,
    );
  });

  test('tells a transaction whether a span is free, to the millisecond', async () => {
    const { botId, put } = await mirroredBot(app, 'UTC');
    put(berlin('2026-01-13T10:00', '2026-01-13T11:00'));
    put({ start: { date: '2026-01-20' }, end: { date: '2026-01-30' } });
    for (const date of ['2026-01-21', '2026-01-22', '2026-01-23']) {
      put(berlin(`${date}T10:00`, `${date}T11:00`));
    }
    await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
    expect(await own.busy(botId, '2026-01-25T00:00Z', '2026-01-26T00:00Z')).toEqual([
      '2026-01-20T00:00/2026-01-30T00:00',
    ]);
    const key = await own.keyOf(botId);
    const [start, end] = [Date.parse('2026-01-13T09:00Z'), Date.parse('2026-01-13T10:00Z')];
    const long = Date.parse('2026-01-29T23:59Z');
    for (const [from, to, busy] of [
      [start - hour, start, false],
      [start - hour, start + 1, true],
      [start + 1, start + 2, true],
      [end - 1, end + hour, true],
      [end, end + hour, false],
      [long, long + hour, true],
      [long + 60_000, long + hour, false],
    ] as const) {
      const found = await own.database.transaction((tx) =>
        own.mirror.busyInTransaction(tx, key, from, to),
      );
      expect([from - start, to - start, found]).toEqual([from - start, to - start, busy]);
    }
  });

  test('is pulled when it is older than the caller bears, and not otherwise', async () => {
    const { botId, put } = await mirroredBot(app);
    const connection = await own.connectionOf(botId);
    const fresh = (maxAgeMs: number, until?: number) =>
      own.mirror.ensureFresh(connection, {
        maxAgeMs,
        budgetMs: 5_000,
        ...(until === undefined ? {} : { until }),
      });
    const now = app.sandbox.clock.now();
    const first = await fresh(hour);
    expect(first.source).toBe('google');
    expect(first.checkedAt - now).toBeLessThan(5_000);
    put(berlin('2026-01-15T10:00', '2026-01-15T11:00'));
    const span = ['2026-01-14T00:00Z', '2026-01-16T00:00Z'] as const;
    app.sandbox.clock.advance(60_000);
    expect(await fresh(120_000)).toEqual({ source: 'mirror', checkedAt: first.checkedAt });
    expect(await own.busy(botId, ...span)).toEqual([]);
    const second = await fresh(60_000);
    expect(second.source).toBe('google');
    expect(second.checkedAt).toBeGreaterThanOrEqual(first.checkedAt + 60_000);
    expect(await own.busy(botId, ...span)).toHaveLength(1);
    expect(await fresh(hour, now + 500 * day)).toMatchObject({ source: 'google' });
    expect(await fresh(hour, now + 500 * day)).toMatchObject({ source: 'mirror' });
  });

  test('writes nothing when nothing changed, but that it looked, once a minute', async () => {
    const { botId } = await mirroredBot(app);
    const connection = await own.connectionOf(botId);
    const pull = () => own.mirror.pull(connection, { budgetMs: 5_000 });
    const row = () => own.rowOf(botId);
    await pull();
    const first = await row();
    app.sandbox.clock.advance(45_000);
    const { checkedAt } = await pull();
    expect(checkedAt).toBeGreaterThanOrEqual(Number(first?.checked_at) + 45_000);
    expect(await row()).toEqual(first);
    app.sandbox.clock.advance(15_000);
    const later = await pull();
    expect(Number((await row())?.checked_at)).toBe(later.checkedAt);
    expect((await row())?.version).toEqual(first?.version);
  });

  test('asks once for all that wait', async () => {
    const { botId, put } = await mirroredBot(app);
    const connection = await own.connectionOf(botId);
    put(berlin('2026-01-15T10:00', '2026-01-15T11:00'));
    const pull = () => own.mirror.pull(connection, { budgetMs: 5_000 });
    const lists = await listsDuring(app, () => Promise.all(Array.from({ length: 100 }, pull)));
    expect(lists.length).toBe(1);
  });

  test('gives who comes during a pull one that begins after it came', async () => {
    const { botId, put } = await mirroredBot(app);
    const connection = await own.connectionOf(botId);
    const pull = () => own.mirror.pull(connection, { budgetMs: 5_000 });
    await pull();
    app.sandbox.faults.add({ route: 'events.list', fault: { kind: 'hang', ms: 1_000 } });
    const lists = await listsDuring(app, async () => {
      const early = pull();
      await expect.poll(() => app.sandbox.requests.length).toBe(1);
      const late = Array.from({ length: 50 }, pull);
      put(berlin('2026-01-15T10:00', '2026-01-15T11:00'));
      app.sandbox.clock.advance(1_000);
      await Promise.all([early, ...late]);
    });
    expect(lists.length).toBe(2);
    expect(await own.busy(botId, '2026-01-15T00:00Z', '2026-01-16T00:00Z')).toHaveLength(1);
  });

  test('follows further calendars of the account; one that cannot be read is an error', async () => {
    const email = 'several@example.com';
    const second = 'second@group.calendar.google.com';
    app.sandbox.addAccount({ email, timeZone: 'UTC', calendars: [{ id: second }] });
    const botId = await app.connectedBot(email);
    const connection = await own.connectionOf(botId);
    app.sandbox.putEvent(email, berlin('2026-01-15T10:00', '2026-01-15T11:00'), second);
    const other = { ...connection, calendarId: second };
    await own.mirror.pull(other, { budgetMs: 5_000 });
    const [from, to] = [Date.parse('2026-01-15T00:00Z'), Date.parse('2026-01-16T00:00Z')];
    expect(await own.mirror.busy(`${connection.googleSub}/${second}`, from, to)).toHaveLength(1);
    const unknown = { ...connection, calendarId: 'nobody@group.calendar.google.com' };
    await expect(own.mirror.pull(unknown, { budgetMs: 5_000 })).rejects.toMatchObject({
      kind: 'not_found',
    });
    await expect(
      own.mirror.busy(`${connection.googleSub}/nobody@group.calendar.google.com`, from, to),
    ).rejects.toThrow(NotMirrored);
  });

  test('holds a booking of this server as the event that it is', async () => {
    const { botId } = await mirroredBot(app);
    const booked = await book(app, botId, bookingOf({ date: '2026-01-19', time: '10:00' }));
    expect(booked.status).toBe(201);
    expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toHaveLength(1);
    const key = await own.keyOf(botId);
    const [from, to] = [Date.parse('2026-01-19T09:00Z'), Date.parse('2026-01-19T10:00Z')];
    const busy = (except?: string) =>
      own.database.transaction((tx) => own.mirror.busyInTransaction(tx, key, from, to, except));
    expect(await busy()).toBe(true);
    expect(await busy(String(booked.body.eventId))).toBe(false);
  });

  test('forgets a calendar with all its spans', async () => {
    const { botId, put } = await mirroredBot(app);
    put(berlin('2026-01-15T10:00', '2026-01-15T11:00'));
    await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
    const key = await own.keyOf(botId);
    await own.mirror.forget(key);
    await expect(own.busy(botId, '2026-01-15T00:00Z', '2026-01-16T00:00Z')).rejects.toThrow(
      NotMirrored,
    );
    const spansOf = `select * from busy_spans where calendar = '${key}'`;
    expect(await own.rowOf(botId)).toBeUndefined();
    expect(await runSql(app.database, spansOf)).toEqual([]);
    expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toHaveLength(1);
  });
});
