import fc from 'fast-check';
import { type Sandbox, startSandbox } from 'google-sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshPolicy } from '../src/connections/refresh.ts';
import { makeCall } from './support/booking-model/calls.ts';
import { checkAlways, checkAtRest, checkSlots } from './support/booking-model/checks.ts';
import { makeEdit, makeFault } from './support/booking-model/edits.ts';
import { type Step, sequence } from './support/booking-model/steps.ts';
import {
  minuteMs,
  nextDay,
  type SharedCalendar,
  type Snapshot,
  shareCalendar,
  snapshot,
  type World,
} from './support/booking-model/world.ts';
import {
  createTestDatabase,
  describeOnEachDatabase,
  type TestDatabase,
} from './support/databases.ts';
import { openSql, type SqlConnection } from './support/stored.ts';
import { openTestApp, startOfTests, type TestApp, unlimited } from './support/test-app.ts';

const sequences = Number(
  process.env.CALHOOK_BOOKING_SEQUENCES ?? (process.env.CALHOOK_LONG ? 2_500 : 60),
);
/** Sequences that take place in one calendar. */
const daysOfCalendar = 20;
/** Longer than any back-off. */
const patienceMs = 6 * minuteMs;

describeOnEachDatabase('whatever callers, owners and Google do', (dialect) => {
  let sandbox: Sandbox;
  let database: TestDatabase;
  let sql: SqlConnection;
  let server: TestApp;
  const open = () =>
    openTestApp({
      dialect,
      sandbox,
      database,
      retry: { budgetMs: 2_000, firstPauseMs: 1, maxPauseMs: 5 },
      refresh: { ...refreshPolicy, firstPauseMs: 10_000 },
    });
  beforeAll(async () => {
    sandbox = await startSandbox({ now: startOfTests });
    sandbox.set(unlimited);
    database = await createTestDatabase(dialect);
    server = await open();
    sql = await openSql(database);
  });
  afterAll(async () => {
    await sql.close();
    await server.close();
    await sandbox.close();
    await database.drop();
  });

  async function look(world: World): Promise<number> {
    sandbox.clock.advance(61_000);
    const { status, text } = await server.call('GET', `/api/calendar/slots/${world.bots[0]}`);
    if (status !== 200 && !(world.troubled && status === 503)) throw new Error(text);
    return status;
  }

  async function play(world: World, each: Step, before: Snapshot): Promise<void> {
    switch (each.kind) {
      case 'call':
        return makeCall(world, each.call, before);
      case 'edit':
        return makeEdit(world, each.edit);
      case 'together':
        await Promise.all(each.calls.map((call) => makeCall(world, call, null)));
        return;
      case 'fault':
        return makeFault(world, each);
      case 'mend':
        return sandbox.faults.clear();
      case 'wait':
        return sandbox.clock.advance(each.minutes * minuteMs);
      case 'look':
        await look(world);
        return;
      case 'work':
        sandbox.clock.advance(16_000);
        await server.app.worker.runDue();
        return;
      case 'restart':
        await server.close();
        server = await open();
        world.server = server;
        return;
    }
  }

  /** Google works; jobs run until none is left; the calendar is looked at. */
  async function rest(world: World): Promise<void> {
    sandbox.faults.clear();
    for (let rounds = 0; rounds < 12; rounds++) {
      sandbox.clock.advance(patienceMs);
      await server.app.worker.runDue();
      const left = await sql.run(
        `select key, last_error from jobs where lane = '${world.calendar}'`,
      );
      if (left.length === 0 && (await look(world)) === 200) return;
    }
    throw new Error('it does not come to rest');
  }

  test('each time is given once, and Google has what stands', { timeout: 3_600_000 }, async () => {
    const seen = new Map<string, number>();
    let calendar: SharedCalendar | null = null;
    let days = 0;
    const newCalendar = () => {
      days = 1;
      return shareCalendar(server, sql);
    };
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        sandbox.faults.clear();
        // Sequences that follow each other have a calendar in common, but no day; a failed one has none.
        const shared = calendar && days++ < daysOfCalendar ? calendar : await newCalendar();
        calendar = null;
        const world = nextDay(server, sql, shared);
        let state = await snapshot(world);
        for (const each of steps) {
          await play(world, each, { ...state, now: sandbox.clock.now() });
          state = await snapshot(world);
          checkAlways(world, state);
        }
        await rest(world);
        state = await snapshot(world);
        checkAlways(world, state);
        checkAtRest(world, state);
        await checkSlots(world, state);
        calendar = shared;
        for (const { status, cancelledBy, failure, conflictSince } of state.appointments.values()) {
          count(conflictSince === null ? `${status} ${cancelledBy ?? failure}` : 'in conflict');
        }
      }),
      // The short run plays the same sequences each time; the long one draws others.
      { numRuns: sequences, ...(process.env.CALHOOK_LONG ? {} : { seed: 1_771 }) },
    );
    // The sequences come to all of this, or they would test less than they seem to.
    for (const end of ['confirmed null', 'cancelled api', 'cancelled owner', 'in conflict']) {
      expect([end, (seen.get(end) ?? 0) >= sequences / 30]).toEqual([end, true]);
    }
  });
});
