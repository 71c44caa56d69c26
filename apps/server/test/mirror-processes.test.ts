import { expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { runSql } from './support/stored.ts';
import type { TestApp } from './support/test-app.ts';
import { mirroredBot, type TestMirror, utc, withMirrors } from './support/test-mirror.ts';

const week = ['2026-01-12T00:00Z', '2026-01-26T00:00Z'] as const;

describeOnEachDatabase('two mirrors on one database', (dialect) => {
  let app: TestApp;
  let first: TestMirror;
  let second: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own: first } = opened);
    second = await opened.openAnother();
  });

  test('that pull at once never mix up, and each answers with what was there when it asked', async () => {
    const { botId, email, put } = await mirroredBot(app);
    await first.pulled(botId, ...week);
    const ids: string[] = [];
    for (let round = 0; round < 30; round++) {
      ids.push(put(halfHourAt(round % 24)).id);
      if (round % 3 === 2) put({ ...halfHourAt((round + 5) % 24), id: ids[round - 1] });
      if (round % 5 === 4) put({ ...halfHourAt(0), id: ids[round - 2], status: 'cancelled' });
      const standing = app.sandbox
        .events(email)
        .filter(({ status }) => status !== 'cancelled')
        .map(({ start, end }) => `${minuteOf(start.dateTime)}/${minuteOf(end.dateTime)}`)
        .sort();
      const answers = await Promise.all([
        first.pulled(botId, ...week),
        second.pulled(botId, ...week),
      ]);
      expect(answers.map((spans) => spans.sort())).toEqual([standing, standing]);
    }
  });

  test('that pull a calendar for the first time at once store it once', async () => {
    const { botId, put } = await mirroredBot(app);
    put(halfHourAt(9));
    const spans = await Promise.all([first.pulled(botId, ...week), second.pulled(botId, ...week)]);
    const one = ['2026-01-13T09:00/2026-01-13T09:30'];
    expect(spans).toEqual([one, one]);
  });

  test('know of each other: what one pulled, the other answers with', async () => {
    const { botId, put } = await mirroredBot(app);
    await first.pulled(botId, ...week);
    expect(await second.busy(botId, ...week)).toEqual([]);
    put(halfHourAt(9));
    await first.pulled(botId, ...week);
    await expect.poll(() => second.busy(botId, ...week)).toHaveLength(1);
  });

  test('do not go back: a pull that was overtaken is made again', async () => {
    const { botId, put } = await mirroredBot(app);
    await first.pulled(botId, ...week);
    const { id } = put(halfHourAt(9));
    // The first one's answer is on its way while the second one stores a newer state.
    app.sandbox.faults.add({
      route: 'events.list',
      fault: { kind: 'slow', bytesPerSecond: 200 },
    });
    const slow = first.pulled(botId, ...week);
    await expect.poll(() => app.sandbox.faults.list().at(-1)?.hits).toBe(1);
    put({ ...halfHourAt(11), id });
    expect(await second.pulled(botId, ...week)).toEqual(['2026-01-13T11:00/2026-01-13T11:30']);
    expect(await slow).toEqual(['2026-01-13T11:00/2026-01-13T11:30']);
    const stored = await runSql(
      app.database,
      `select starts_at from busy_spans where event_id = '${id}'`,
    );
    expect(stored.map((row) => Number(row.starts_at))).toEqual([Date.parse('2026-01-13T11:00Z')]);
  });

  test('answer with nothing older than what they pulled', async () => {
    const { botId, put } = await mirroredBot(app);
    await second.pulled(botId, ...week);
    for (let hour = 0; hour < 20; hour++) {
      put(halfHourAt(hour));
      await first.pulled(botId, ...week);
      // Nothing is new to the second one's pull; its memory may still be of the state before.
      expect(await second.pulled(botId, ...week)).toHaveLength(hour + 1);
    }
  });
});

const minuteOf = (text = '') => new Date(text).toISOString().slice(0, 16);

function halfHourAt(hour: number) {
  const of = `2026-01-13T${String(hour).padStart(2, '0')}`;
  return utc(`${of}:00`, `${of}:30`);
}
