import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventResource, Sandbox } from '../src/index.ts';
import { ADA, CALENDAR_SCOPE, connect, startTestSandbox } from './google-client.ts';
import { runSize } from './run-size.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FIRST = Date.parse('2027-03-20T08:00:00Z');

let sandbox: Sandbox;
let token: string;
beforeAll(async () => {
  sandbox = await startTestSandbox({
    switches: { requestsPerMinutePerUser: 0, requestsPerMinutePerProject: 0 },
  });
  token = (await connect(sandbox, { scope: [CALENDAR_SCOPE] })).tokens.access_token ?? '';
});
afterAll(() => sandbox.close());

type Page = { items: EventResource[]; nextPageToken?: string; nextSyncToken?: string };

async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${sandbox.endpoints.apiUrl}/calendar/v3/calendars/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect([response.status, method, path, text]).toEqual([
    expect.toBeOneOf([200, 204, 400, 404, 409, 410]),
    method,
    path,
    text,
  ]);
  return (text === '' || response.status >= 400 ? undefined : JSON.parse(text)) as Answer;
}

/** Every event of a list, page by page. */
async function listAll(
  calendarId: string,
  options: Record<string, string>,
): Promise<{ items: EventResource[]; syncToken: string }> {
  const items: EventResource[] = [];
  for (let pageToken = ''; ; ) {
    const query = new URLSearchParams({ ...options, maxResults: '3' });
    if (pageToken !== '') query.set('pageToken', pageToken);
    const page = await call<Page>('GET', `${calendarId}/events?${query}`);
    items.push(...page.items);
    if (page.nextPageToken === undefined) return { items, syncToken: page.nextSyncToken ?? '' };
    pageToken = page.nextPageToken;
  }
}

/** A client that holds a calendar by following sync tokens alone. */
class Follower {
  readonly #calendarId: string;
  readonly #options: Record<string, string>;
  readonly held = new Map<string, EventResource>();
  #syncToken = '';

  constructor(calendarId: string, options: Record<string, string>) {
    this.#calendarId = calendarId;
    this.#options = options;
  }

  async pull(): Promise<void> {
    const { items, syncToken } = await listAll(this.#calendarId, {
      ...this.#options,
      ...(this.#syncToken === '' ? {} : { syncToken: this.#syncToken }),
    });
    this.#syncToken = syncToken;
    for (const event of items) this.#take(event);
  }

  #take(event: EventResource): void {
    const keeps = event.status !== 'cancelled' || this.#isCancelledOccurrence(event);
    if (keeps) this.held.set(event.id, event);
    else this.held.delete(event.id);
    // Who expands series drops the changed and cancelled occurrences with their series; to others
    // each occurrence is told.
    if (this.#options.singleEvents === 'true') return;
    if (event.status !== 'cancelled' || event.recurringEventId !== undefined) return;
    for (const [id, other] of this.held) {
      if (other.recurringEventId === event.id) this.held.delete(id);
    }
  }

  /** A client that expands series itself has to remember which occurrences are off. */
  #isCancelledOccurrence(event: EventResource): boolean {
    return event.recurringEventId !== undefined && this.#options.singleEvents !== 'true';
  }
}

type Step =
  | { kind: 'insert'; at: number; rule: string | undefined }
  | { kind: 'patch'; which: number; name: string }
  | { kind: 'remind'; which: number; minutes: number }
  | { kind: 'reschedule'; which: number; at: number }
  | { kind: 'reshape'; which: number; rule: string }
  | { kind: 'delete'; which: number }
  | { kind: 'restore'; which: number }
  | { kind: 'moveAway'; which: number }
  | { kind: 'moveHere'; at: number }
  | { kind: 'occurrence'; which: number; nth: number; how: 'rename' | 'shift' | 'delete' }
  | { kind: 'pull' };

const at = fc.integer({ min: 0, max: 20 });
const which = fc.nat({ max: 30 });
const rule = fc.constantFrom(
  'RRULE:FREQ=DAILY;COUNT=5',
  'RRULE:FREQ=WEEKLY;COUNT=3',
  'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=4',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('insert'),
      at,
      rule: fc.option(rule, { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('patch'), which, name: fc.string() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remind'), which, minutes: fc.nat(1000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reschedule'), which, at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reshape'), which, rule }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('moveAway'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('moveHere'), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('occurrence'),
      which,
      nth: fc.nat({ max: 5 }),
      how: fc.constantFrom('rename', 'shift', 'delete'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull') }) },
);

function times(day: number) {
  const start = FIRST + day * DAY_MS;
  const moment = (ms: number) => ({
    dateTime: new Date(ms).toISOString(),
    timeZone: 'Europe/Berlin',
  });
  return { start: moment(start), end: moment(start + HOUR_MS) };
}

/** Plays one step; `ids` collects every event that was ever made. */
async function play(step: Step, here: string, there: string, ids: string[]): Promise<void> {
  const target = 'which' in step ? ids[step.which % Math.max(ids.length, 1)] : undefined;
  const event = `${here}/events/${target}`;
  if ('which' in step && target === undefined) return;
  switch (step.kind) {
    case 'insert': {
      const recurrence = step.rule === undefined ? {} : { recurrence: [step.rule] };
      const made = await call<EventResource>('POST', `${here}/events`, {
        ...times(step.at),
        ...recurrence,
      });
      ids.push(made.id);
      return;
    }
    case 'patch':
      return call('PATCH', event, { summary: step.name });
    case 'remind':
      return call('PATCH', event, {
        reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: step.minutes }] },
      });
    case 'reschedule':
      return call('PATCH', event, times(step.at));
    case 'reshape':
      return call('PATCH', event, { recurrence: [step.rule] });
    case 'delete':
      return call('DELETE', event);
    case 'restore':
      return call('PATCH', event, { status: 'confirmed' });
    case 'moveAway':
      return call('POST', `${event}/move?destination=${there}`);
    case 'moveHere': {
      const made = await call<EventResource>('POST', `${there}/events`, times(step.at));
      await call('POST', `${there}/events/${made.id}/move?destination=${here}`);
      ids.push(made.id);
      return;
    }
    case 'occurrence': {
      const page = await call<Page | undefined>('GET', `${event}/instances?maxResults=6`);
      const occurrence = page?.items[step.nth];
      if (occurrence === undefined) return;
      const path = `${here}/events/${occurrence.id}`;
      if (step.how === 'delete') return call('DELETE', path);
      return call('PATCH', path, step.how === 'rename' ? { summary: 'Apart' } : times(step.nth));
    }
    case 'pull':
      return;
  }
}

const byId = (a: EventResource, b: EventResource) => (a.id < b.id ? -1 : 1);

describe('sync', () => {
  test('a client that only follows syncToken holds exactly what a full list shows', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
        async (steps) => {
          run += 1;
          const here = `here${run}@group.calendar.google.com`;
          const there = `there${run}@group.calendar.google.com`;
          sandbox.addAccount({
            email: `owner${run}@example.com`,
            timeZone: 'Europe/Berlin',
            calendars: [here, there].map((id) => ({ id, sharedWith: { [ADA]: 'owner' } })),
          });
          const followers = [{}, { singleEvents: 'true' }].map((options) => ({
            options,
            follower: new Follower(here, options),
          }));
          for (const { follower } of followers) await follower.pull();
          const ids: string[] = [];
          for (const each of steps) {
            await play(each, here, there, ids);
            if (each.kind === 'pull') for (const { follower } of followers) await follower.pull();
          }
          for (const { follower, options } of followers) {
            await follower.pull();
            const full = await listAll(here, options);
            expect([...follower.held.values()].sort(byId)).toEqual(full.items.sort(byId));
          }
        },
      ),
      { numRuns: runSize(1_000, 100) },
    );
  }, 600_000);
});
