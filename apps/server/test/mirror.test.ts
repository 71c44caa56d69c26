import { describe, expect, test } from 'vitest';
import { describeOnEachDatabase } from './support/databases.ts';
import { databaseBytes, dumpAllTables } from './support/stored.ts';
import type { TestApp } from './support/test-app.ts';
import {
  answerNextList,
  berlin,
  mirroredBot,
  type TestMirror,
  withMirrors,
} from './support/test-mirror.ts';

describeOnEachDatabase('the mirror', (dialect) => {
  let app: TestApp;
  let own: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own } = opened);
  });

  describe('an event', () => {
    const declined = { responseStatus: 'declined' };
    test.each<[string, (email: string) => Record<string, unknown>, boolean]>([
      ['that is plain', () => ({}), true],
      ['that is tentative', () => ({ status: 'tentative' }), true],
      ['that is transparent', () => ({ transparency: 'transparent' }), false],
      ['that the owner declined', (email) => ({ attendees: [{ email, ...declined }] }), false],
      [
        'that the owner declined, among many guests',
        (email) => ({
          attendees: [{ email: 'a@x.org' }, { email, ...declined }, { email: 'b@x.org' }],
        }),
        false,
      ],
      ['that a guest declined', () => ({ attendees: [{ email: 'a@x.org', ...declined }] }), true],
      ['that the owner accepted', (email) => ({ attendees: [{ email }] }), true],
      ['out of office', () => ({ eventType: 'outOfOffice' }), true],
      ['of focus time', () => ({ eventType: 'focusTime' }), true],
      ['that tells the working location', () => ({ eventType: 'workingLocation' }), false],
      ['that is private', () => ({ visibility: 'private' }), true],
    ])('%s', async (_name, event, busy) => {
      const { botId, email, put } = await mirroredBot(app);
      put({ ...berlin('2026-01-13T10:00', '2026-01-13T11:00'), ...event(email) });
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-01-20T00:00Z')).toEqual(
        busy ? ['2026-01-13T09:00/2026-01-13T10:00'] : [],
      );
    });

    test('that lasts all day lies in the zone of the calendar: +13', async () => {
      const { botId, put } = await mirroredBot(app, 'Pacific/Auckland');
      put({ start: { date: '2026-01-15' }, end: { date: '2026-01-16' } });
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-01-20T00:00Z')).toEqual([
        '2026-01-14T11:00/2026-01-15T11:00',
      ]);
    });

    test('that lasts all day has 23 hours when the clocks go forward', async () => {
      const { botId, put } = await mirroredBot(app);
      put({ start: { date: '2026-03-29' }, end: { date: '2026-03-30' } });
      expect(await own.pulled(botId, '2026-03-01T00:00Z', '2026-04-20T00:00Z')).toEqual([
        '2026-03-28T23:00/2026-03-29T22:00',
      ]);
    });

    test('that began yesterday, or weeks ago, and is not over is busy', async () => {
      const { botId, put } = await mirroredBot(app, 'UTC');
      put({ start: { date: '2025-12-01' }, end: { date: '2026-01-14' } });
      put(berlin('2026-01-11T10:00', '2026-01-13T10:00'));
      expect(await own.pulled(botId, '2026-01-12T10:00Z', '2026-01-12T11:00Z')).toEqual([
        '2025-12-01T00:00/2026-01-14T00:00',
        '2026-01-11T09:00/2026-01-13T09:00',
      ]);
    });
  });

  describe('what the owner does', () => {
    test('is followed by sync token: made, moved, longer, free, deleted, restored', async () => {
      const { botId, put } = await mirroredBot(app);
      const spans = () => own.pulled(botId, '2026-01-12T00:00Z', '2026-02-20T00:00Z');
      expect(await spans()).toEqual([]);
      const { id } = put(berlin('2026-01-13T10:00', '2026-01-13T11:00'));
      const steps: [Record<string, unknown>, string[]][] = [
        [{}, ['2026-01-13T09:00/2026-01-13T10:00']],
        [berlin('2026-01-14T12:00', '2026-01-14T13:00'), ['2026-01-14T11:00/2026-01-14T12:00']],
        [berlin('2026-01-14T12:00', '2026-01-14T15:00'), ['2026-01-14T11:00/2026-01-14T14:00']],
        [
          {
            start: { dateTime: '2026-01-14T12:00:00', timeZone: 'Asia/Kathmandu' },
            end: { dateTime: '2026-01-14T13:00:00', timeZone: 'Asia/Kathmandu' },
          },
          ['2026-01-14T06:15/2026-01-14T07:15'],
        ],
        [{ transparency: 'transparent' }, []],
        [{ transparency: 'opaque' }, ['2026-01-14T06:15/2026-01-14T07:15']],
        [{ status: 'cancelled' }, []],
        [{ status: 'confirmed' }, ['2026-01-14T06:15/2026-01-14T07:15']],
        [berlin('2029-01-14T12:00', '2029-01-14T15:00'), []],
        [berlin('2026-01-14T12:00', '2026-01-14T13:00'), ['2026-01-14T11:00/2026-01-14T12:00']],
      ];
      for (const [change, expected] of steps) {
        put({ id, ...change });
        expect([change, await spans()]).toEqual([change, expected]);
      }
      const [first, ...more] = await own.listsOf(botId);
      expect(first).toHaveProperty('syncToken');
      expect(first).not.toHaveProperty('timeMin');
      expect(more).toEqual([]);
    });

    test('with a series over the change of clocks, moved and cancelled occurrences', async () => {
      const { botId, put } = await mirroredBot(app);
      const spans = () => own.pulled(botId, '2026-03-20T00:00Z', '2026-04-30T00:00Z');
      expect(await spans()).toEqual([]);
      const series = put({
        ...berlin('2026-03-22T10:00', '2026-03-22T11:00'),
        recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'],
      });
      const weekly = [
        '2026-03-22T09:00/2026-03-22T10:00',
        '2026-03-29T08:00/2026-03-29T09:00',
        '2026-04-05T08:00/2026-04-05T09:00',
        '2026-04-12T08:00/2026-04-12T09:00',
      ];
      expect(await spans()).toEqual(weekly);
      put({ id: `${series.id}_20260329T080000Z`, status: 'cancelled' });
      put({
        id: `${series.id}_20260405T080000Z`,
        ...berlin('2026-04-06T15:00', '2026-04-06T16:00'),
      });
      expect(await spans()).toEqual([weekly[0], '2026-04-06T13:00/2026-04-06T14:00', weekly[3]]);
      put({ id: series.id, ...berlin('2026-03-22T20:00', '2026-03-22T21:00') });
      const evening = await spans();
      expect(evening).toContain('2026-04-12T18:00/2026-04-12T19:00');
      expect(evening).not.toContain(weekly[3]);
      put({ id: series.id, status: 'cancelled' });
      expect(await spans()).toEqual([]);
    });

    test('a series is read from the beginning: Google tells of half a year of a deleted one', async () => {
      const { botId, put } = await mirroredBot(app);
      const until = '2027-03-01T00:00Z';
      const series = put({
        ...berlin('2026-01-13T10:00', '2026-01-13T11:00'),
        recurrence: ['RRULE:FREQ=WEEKLY'],
      });
      expect((await own.pulled(botId, '2026-01-12T00:00Z', until)).length).toBe(59);
      // What the list tells of the deletion is its first occurrence alone.
      const gone = { id: `${series.id}_20260113T090000Z`, status: 'cancelled' };
      put({ id: series.id, status: 'cancelled' });
      answerNextList(app, [gone]);
      expect(await own.pulled(botId, '2026-01-12T00:00Z', until)).toEqual([]);
    });

    test('a series of which one occurrence is told is read anew, too', async () => {
      const { botId, put } = await mirroredBot(app);
      const series = put({
        ...berlin('2026-01-13T10:00', '2026-01-13T11:00'),
        recurrence: ['RRULE:FREQ=DAILY;COUNT=3'],
      });
      await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
      put({ id: series.id, transparency: 'transparent' });
      const told = {
        id: `${series.id}_20260113T090000Z`,
        recurringEventId: series.id,
        status: 'confirmed',
        transparency: 'transparent',
        ...berlin('2026-01-13T10:00', '2026-01-13T11:00'),
      };
      answerNextList(app, [told]);
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toEqual([]);
    });

    test('to move an event out of the window leaves nothing of it', async () => {
      const { botId, put } = await mirroredBot(app);
      const { id } = put(berlin('2026-01-13T10:00', '2026-01-13T11:00'));
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toHaveLength(1);
      put({ id, ...berlin('2029-01-13T10:00', '2029-01-13T11:00') });
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toEqual([]);
      expect(await dumpAllTables(app.database)).not.toContain(id);
    });

    test('a series that is told of by its own id alone', async () => {
      const { botId, put } = await mirroredBot(app);
      const series = put({
        ...berlin('2026-01-13T10:00', '2026-01-13T11:00'),
        recurrence: ['RRULE:FREQ=DAILY;COUNT=3'],
      });
      expect((await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).length).toBe(3);
      put({ id: series.id, status: 'cancelled' });
      answerNextList(app, [{ id: series.id, status: 'cancelled' }]);
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toEqual([]);
    });

    test('moves all-day events by another zone of the calendar, which changes no event', async () => {
      const { botId, put } = await mirroredBot(app);
      put({ id: 'fulltag', start: { date: '2026-01-15' }, end: { date: '2026-01-16' } });
      await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
      const event = {
        id: 'fulltag',
        status: 'confirmed',
        start: { date: '2026-01-15' },
        end: { date: '2026-01-16' },
      };
      for (const items of [[], [event]]) answerNextList(app, items, 'America/New_York');
      expect(await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z')).toEqual([
        '2026-01-15T05:00/2026-01-16T05:00',
      ]);
    });
  });

  test('asks Google for times only, and stores no titles, names or texts', async () => {
    const { botId, put } = await mirroredBot(app);
    put({
      ...berlin('2026-01-13T10:00', '2026-01-13T11:00'),
      summary: 'Private-Title-7431',
      description: 'Private-Text-7431',
      location: 'Private-Place-7431',
      attendees: [{ email: 'private-guest-7431@example.org', displayName: 'Private Guest' }],
      extendedProperties: { private: { other: 'private-property-7431' } },
    });
    const spans = await own.pulled(botId, '2026-01-12T00:00Z', '2026-02-01T00:00Z');
    expect(spans).toHaveLength(1);
    const stored = (await databaseBytes(app.database)) + (await dumpAllTables(app.database));
    const said = stored + own.log.join('\n');
    expect(said).toContain(await own.keyOf(botId));
    expect(said.match(/private-?(title|text|place|guest|property)/i)).toBeNull();
    const [list] = await own.listsOf(botId);
    expect(String(list?.fields)).not.toMatch(/summary|description|location|email|displayName/);
  });
});
