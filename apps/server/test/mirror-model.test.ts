import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Span } from '../src/sync/busy-spans.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { type GoogleApi, googleApiOf } from './support/google-api.ts';
import type { TestApp } from './support/test-app.ts';
import { mirroredBot, type TestMirror, withMirrors } from './support/test-mirror.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const sequences = process.env.CALHOOK_LONG ? 2_000 : 60;

/** Where an event lies, from the day that the test began on. */
const place = fc.record({
  day: fc.integer({ min: -3, max: 60 }),
  minute: fc.integer({ min: 0, max: 1_439 }),
  minutes: fc.constantFrom(15, 60, 600, 1_440, 3_000, 20_000),
  wholeDays: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 4 }),
});
type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;
const rule = fc.constantFrom(
  'RRULE:FREQ=DAILY;COUNT=5',
  'RRULE:FREQ=WEEKLY',
  'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=40',
);
const which = fc.nat({ max: 20 });

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('make'), place, rule: fc.option(rule) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move'), which, place }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mark'),
      which,
      as: fc.constantFrom('transparent', 'opaque', 'declined', 'accepted', 'tentative', 'renamed'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('repeat'), which, rule: fc.option(rule) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('occurrence'),
      which,
      nth: fc.nat({ max: 5 }),
      place: fc.option(place),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), hours: fc.nat({ max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pull') }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describeOnEachDatabase('after any edits of the owner', (dialect) => {
  let app: TestApp;
  let own: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own } = opened);
  });

  async function play(
    each: Step,
    { google, email, base }: { google: GoogleApi; email: string; base: number },
    ids: string[],
  ): Promise<void> {
    const id = 'which' in each ? ids[each.which % Math.max(1, ids.length)] : undefined;
    if ('which' in each && id === undefined) return;
    const event = `/calendars/primary/events/${id}`;
    const attendees = (responseStatus: string) => [{ email, responseStatus }];
    switch (each.kind) {
      case 'make': {
        const body = {
          ...timesOf(each.place, base),
          ...(each.rule && { recurrence: [each.rule] }),
        };
        const made = (await google('POST', '/calendars/primary/events', body)) as { id: string };
        ids.push(made.id);
        return;
      }
      case 'move':
        await google('PATCH', event, timesOf(each.place, base));
        return;
      case 'mark': {
        const changes = {
          transparent: { transparency: 'transparent' },
          opaque: { transparency: 'opaque' },
          declined: { attendees: attendees('declined') },
          accepted: { attendees: attendees('accepted') },
          tentative: { status: 'tentative' },
          renamed: { summary: 'Renamed' },
        };
        await google('PATCH', event, changes[each.as]);
        return;
      }
      case 'repeat':
        await google('PATCH', event, { recurrence: each.rule ? [each.rule] : null });
        return;
      case 'delete':
        await google('DELETE', event);
        return;
      case 'restore':
        await google('PATCH', event, { status: 'confirmed' });
        return;
      case 'occurrence': {
        const page = await google('GET', `${event}/instances?maxResults=6`);
        const occurrence = (page as { items: { id: string }[] } | undefined)?.items[each.nth];
        if (!occurrence) return;
        const path = `/calendars/primary/events/${occurrence.id}`;
        await (each.place
          ? google('PATCH', path, timesOf(each.place, base))
          : google('DELETE', path));
        return;
      }
      case 'expire':
        app.sandbox.share(email, 'onlooker@example.com', 'reader');
        return;
      case 'wait':
        app.sandbox.clock.advance(each.hours * hour);
        return;
      case 'pull':
        return;
    }
  }

  test('the mirror is busy exactly when Google says so', { timeout: 600_000 }, async () => {
    app.sandbox.addAccount({ email: 'onlooker@example.com' });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 25, size: 'max' }),
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Pacific/Auckland', 'UTC'),
        async (steps, timeZone) => {
          const { botId, email } = await mirroredBot(app, timeZone);
          const base = Math.floor(app.sandbox.clock.now() / day) * day;
          let google = await googleApiOf(app.sandbox, email);
          const key = await own.keyOf(botId);
          const compare = async () => {
            const from = app.sandbox.clock.now();
            const to = from + 85 * day;
            await own.mirror.pull(await own.connectionOf(botId), { budgetMs: 10_000, until: to });
            const expected = await busyAtGoogle(google, from, to);
            expect(merged(await own.mirror.busy(key, from, to), from, to)).toEqual(expected);
            for (const at of edgesOf(expected, from, to)) {
              const busy = expected.some(
                ({ startsAt, endsAt }) => startsAt < at + 1 && endsAt > at,
              );
              const found = await own.database.transaction((tx) =>
                own.mirror.busyInTransaction(tx, key, at, at + 1),
              );
              expect([at, found]).toEqual([at, busy]);
            }
            compared++;
          };
          const ids: string[] = [];
          for (const each of steps) {
            await play(each, { google, email, base }, ids);
            // Tokens last an hour.
            if (each.kind === 'wait') google = await googleApiOf(app.sandbox, email);
            if (each.kind === 'pull') await compare();
          }
          await compare();
        },
      ),
      { numRuns: sequences },
    );
    expect(compared).toBeGreaterThan(sequences);
  });
});

function timesOf({ day: dayNumber, minute: start, minutes, wholeDays }: Place, base: number) {
  const from = base + dayNumber * day;
  if (wholeDays !== null) {
    const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    return {
      start: { date: date(from), dateTime: null, timeZone: null },
      end: { date: date(from + wholeDays * day), dateTime: null, timeZone: null },
    };
  }
  const at = (ms: number) => ({
    dateTime: new Date(ms).toISOString(),
    timeZone: 'Europe/Berlin',
    date: null,
  });
  return { start: at(from + start * minute), end: at(from + (start + minutes) * minute) };
}

async function busyAtGoogle(google: GoogleApi, from: number, to: number): Promise<Span[]> {
  const answer = await google('POST', '/freeBusy', {
    timeMin: new Date(from).toISOString(),
    timeMax: new Date(to).toISOString(),
    items: [{ id: 'primary' }],
  });
  const { calendars } = answer as {
    calendars: { primary: { busy: { start: string; end: string }[] } };
  };
  const spans = calendars.primary.busy.map(({ start, end }) => ({
    startsAt: Date.parse(start),
    endsAt: Date.parse(end),
  }));
  return merged(spans, from, to);
}

/** Spans cut to whole seconds of the range, which is what Google's answers have, and made one where they touch. */
function merged(spans: readonly Span[], from: number, to: number): Span[] {
  const second = (ms: number) => Math.floor(ms / 1_000) * 1_000;
  const found: { startsAt: number; endsAt: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.startsAt - b.startsAt)) {
    const startsAt = Math.max(span.startsAt, second(from));
    const endsAt = Math.min(span.endsAt, second(to));
    const last = found.at(-1);
    if (startsAt >= endsAt) continue;
    if (last && startsAt <= last.endsAt) last.endsAt = Math.max(last.endsAt, endsAt);
    else found.push({ startsAt, endsAt });
  }
  return found;
}

/** The first and last millisecond of busy spans, and those beside them. */
function edgesOf(spans: readonly Span[], from: number, to: number): number[] {
  return spans
    .slice(0, 4)
    .flatMap(({ startsAt, endsAt }) => [startsAt - 1, startsAt, endsAt - 1, endsAt])
    .filter((at) => at >= from && at < to - 1_000);
}
