import { expect, test } from 'vitest';
import { insertClaim } from '../src/appointments/claim-store.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import type { TestApp } from './support/test-app.ts';
import { mirroredBot, type TestMirror, withMirrors } from './support/test-mirror.ts';

const rounds = 60;
const hour = 3_600_000;

describeOnEachDatabase('an event of the owner and a claim of the same time', (dialect) => {
  let app: TestApp;
  let pulling: TestMirror;
  let booking: TestMirror;
  /** Starts of the claims that a pull found under a new busy span. */
  const conflicts = new Set<number>();

  withMirrors(dialect, async (opened) => {
    ({ app, own: booking } = opened);
    pulling = await opened.openAnother({
      expectedEvents: async () => [],
      ownEvents: async () => ({ keep: new Set() }),
      async busyChanged(tx, { calendar, appeared }) {
        for (const { startsAt, endsAt } of appeared) {
          const found = await tx
            .selectFrom('claims')
            .select('starts_at')
            .where('calendar', '=', calendar)
            .where('starts_at', '<', endsAt)
            .where('ends_at', '>', startsAt)
            .execute();
          for (const claim of found) conflicts.add(claim.starts_at);
        }
      },
    });
  });

  test('stored at the same moment never miss each other', async () => {
    const { botId, put } = await mirroredBot(app);
    const connection = await pulling.connectionOf(botId);
    const calendar = await pulling.keyOf(botId);
    await pulling.mirror.pull(connection, { budgetMs: 5_000 });
    const seen = { bySpan: 0, byClaim: 0 };
    for (let round = 0; round < rounds; round++) {
      const startsAt = Date.parse('2026-02-01T00:00Z') + round * hour;
      const endsAt = startsAt + hour / 2;
      const at = (ms: number) => ({ dateTime: new Date(ms).toISOString() });
      put({ start: at(startsAt), end: at(endsAt) });
      const [, refused] = await Promise.all([
        pulling.mirror.pull(connection, { budgetMs: 5_000 }),
        booking.database.transaction(async (tx) => {
          await insertClaim(tx, {
            id: `hold-${round}`,
            calendar,
            client_id: botId,
            starts_at: startsAt,
            ends_at: endsAt,
            booked_start: startsAt,
            booked_end: endsAt,
            appointment_id: null,
            created_at: startsAt,
            expires_at: endsAt,
          });
          return booking.mirror.busyInTransaction(tx, calendar, startsAt, endsAt);
        }),
      ]);
      if (refused) seen.byClaim++;
      if (conflicts.has(startsAt)) seen.bySpan++;
      expect([round, refused || conflicts.has(startsAt)]).toEqual([round, true]);
    }
    expect(seen.bySpan + seen.byClaim).toBeGreaterThanOrEqual(rounds);
  });
});
