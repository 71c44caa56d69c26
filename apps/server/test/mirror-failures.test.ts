import type { Fault } from 'google-sandbox';
import { afterEach, describe, expect, test } from 'vitest';
import { NotMirrored } from '../src/sync/window.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import type { TestApp } from './support/test-app.ts';
import {
  listsDuring,
  mirroredBot,
  type TestMirror,
  utc,
  withMirrors,
} from './support/test-mirror.ts';

const hour = 3_600_000;
const endless = { times: 1_000 };

interface Failure {
  readonly fault: Fault;
  readonly kind: string;
  /** What is logged of it; a caller whose budget ends first hears `pull_under_way`. */
  readonly reason?: string;
}

/** Everything that can come instead of a list, and what the caller hears. */
const failures: Readonly<Record<string, Failure>> = {
  'a server error': { fault: { kind: 'apiError', name: 'backendError' }, kind: 'transient' },
  'an error page': { fault: { kind: 'html', status: 502 }, kind: 'transient' },
  'half an answer': { fault: { kind: 'truncated' }, kind: 'transient', reason: 'truncated_answer' },
  'a cut connection': { fault: { kind: 'reset' }, kind: 'transient', reason: 'unreachable' },
  'a list whose answer is lost': { fault: { kind: 'commitThenDrop' }, kind: 'transient' },
  'no answer': { fault: { kind: 'hang', ms: hour }, kind: 'transient' },
  'a rate limit': {
    fault: { kind: 'apiError', name: 'userRateLimitExceeded403' },
    kind: 'transient',
  },
  'something else that is JSON': {
    fault: { kind: 'status', status: 200, body: {} },
    kind: 'transient',
    reason: 'unexpected_answer',
  },
  null: {
    fault: { kind: 'status', status: 200, body: null },
    kind: 'transient',
    reason: 'unexpected_answer',
  },
  'an event that lies nowhere': {
    fault: {
      kind: 'status',
      status: 200,
      body: { kind: 'calendar#events', timeZone: 'Europe/Berlin', items: [{ id: 'nowhere' }] },
    },
    kind: 'refused',
    reason: 'unreadable_event',
  },
  'pages without end': {
    fault: {
      kind: 'status',
      status: 200,
      body: { kind: 'calendar#events', timeZone: 'Europe/Berlin', nextPageToken: 'more' },
    },
    kind: 'refused',
    reason: 'calendar_too_large',
  },
  'that the calendar is gone': { fault: { kind: 'apiError', name: 'notFound' }, kind: 'not_found' },
  'that it may not be read': {
    fault: { kind: 'apiError', name: 'requiredAccessLevel' },
    kind: 'read_only',
  },
  'that the API is off': {
    fault: { kind: 'apiError', name: 'accessNotConfigured' },
    kind: 'operator',
  },
  'that the scope is missing': {
    fault: { kind: 'apiError', name: 'insufficientPermissions' },
    kind: 'scopes',
  },
};

describeOnEachDatabase('a calendar that cannot be read', (dialect) => {
  let app: TestApp;
  let own: TestMirror;
  withMirrors(dialect, async (opened) => {
    ({ app, own } = opened);
  });
  afterEach(() => app.sandbox.faults.clear());

  const tuesday = ['2026-01-13T00:00Z', '2026-01-14T00:00Z'] as const;
  const onTuesday = utc('2026-01-13T09:00', '2026-01-13T10:00');

  describe.each(Object.entries(failures))('Google answers %s', (_name, { fault, kind, reason }) => {
    // What is repeated takes the whole budget.
    const budgetMs = kind === 'transient' ? 500 : 5_000;
    const expected = { name: 'GoogleError', kind };
    const logged = async (botId: string) => {
      const key = await own.keyOf(botId);
      const isTold = (line: string) => line.includes(key) && line.includes(`"${reason}"`);
      if (reason) await expect.poll(() => own.log.some(isTold)).toBe(true);
    };

    test('to the first pull: nothing is known, and nothing is free', async () => {
      const { botId, put } = await mirroredBot(app);
      put(onTuesday);
      const connection = await own.connectionOf(botId);
      await own.keyOf(botId);
      app.sandbox.faults.add({ route: 'events.list', ...endless, fault });
      const pull = own.mirror.pull(connection, { budgetMs });
      await expect(pull).rejects.toMatchObject(expected);
      await expect(own.busy(botId, ...tuesday)).rejects.toThrow(NotMirrored);
      await logged(botId);
    });

    test('to a later one: an error, and what was known stays', async () => {
      const { botId, put } = await mirroredBot(app);
      put(onTuesday);
      expect(await own.pulled(botId, ...tuesday)).toHaveLength(1);
      const connection = await own.connectionOf(botId);
      app.sandbox.faults.add({ route: 'events.list', ...endless, fault });
      const fresh = own.mirror.ensureFresh(connection, { budgetMs, maxAgeMs: -1 });
      await expect(fresh).rejects.toMatchObject(expected);
      expect(await own.busy(botId, ...tuesday)).toHaveLength(1);
      await logged(botId);
    });
  });

  test('in time: the caller hears that the pull goes on', async () => {
    const { botId } = await mirroredBot(app);
    const connection = await own.connectionOf(botId);
    app.sandbox.faults.add({ route: 'events.list', fault: { kind: 'hang', ms: hour } });
    const pull = own.mirror.pull(connection, { budgetMs: 50 });
    await expect(pull).rejects.toMatchObject({ kind: 'transient', reason: 'pull_under_way' });
  });

  test('for a moment is read within the budget', async () => {
    const { botId, put } = await mirroredBot(app);
    put(onTuesday);
    app.sandbox.faults.add({
      route: 'events.list',
      times: 2,
      fault: { kind: 'apiError', name: 'backendError' },
    });
    const lists = await listsDuring(app, async () =>
      expect(await own.pulled(botId, ...tuesday)).toHaveLength(1),
    );
    expect(lists).toHaveLength(3);
  });

  test('since its grant is gone asks for the owner', async () => {
    const { botId, email } = await mirroredBot(app);
    await own.pulled(botId, ...tuesday);
    const connection = await own.connectionOf(botId);
    app.sandbox.revokeGrants(email);
    await expect(own.mirror.pull(connection, { budgetMs: 1_000 })).rejects.toMatchObject({
      kind: 'reauth',
    });
    const { body } = await app.call('GET', `/api/calendar/status/${botId}`);
    expect(body.status).toBe('needs_reauth');
  });

  test('leaves its reason and a later poll in its row, until it is read again', async () => {
    const { botId } = await mirroredBot(app);
    await own.pulled(botId, ...tuesday);
    const connection = await own.connectionOf(botId);
    const row = async () => {
      const found = await own.rowOf(botId);
      return {
        failures: Number(found?.failures),
        failure: found?.failure,
        dueInMs: Number(found?.due_at) - app.sandbox.clock.now(),
      };
    };
    const rule = app.sandbox.faults.add({
      route: 'events.list',
      ...endless,
      fault: { kind: 'apiError', name: 'notFound' },
    });
    const dueInMs: number[] = [];
    for (const failed of [1, 2, 3, 4]) {
      await expect(own.mirror.pull(connection, { budgetMs: 1_000 })).rejects.toThrow();
      const found = await row();
      expect(found).toMatchObject({ failures: failed, failure: 'notFound' });
      dueInMs.push(found.dueInMs);
    }
    expect(dueInMs[0]).toBeLessThanOrEqual(75_000);
    expect(dueInMs[3]).toBeGreaterThan(5 * 60_000);
    rule.remove();
    await own.mirror.pull(connection, { budgetMs: 1_000 });
    expect(await row()).toMatchObject({ failures: 0, failure: null });
  });
});
