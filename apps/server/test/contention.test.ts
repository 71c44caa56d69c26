import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RivalServers, startRivalServers } from './support/rival-servers.ts';
import { runSql } from './support/stored.ts';
import type { Answer } from './support/test-app.ts';

const rivals = 200;
const rounds = process.env.CALHOOK_LONG ? 100 : 3;
const timeout = rounds * 10_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Well ahead, since the servers run on the clock of the machine. */
const firstRound = (Math.floor(Date.now() / dayMs) + 150) * dayMs;
/** Rounds are this far apart, so that none is in the way of another. */
const apartMs = 6 * 60 * minuteMs;

/** An instant as requests to a bot in UTC name it. */
function at(instant: number): { date: string; time: string } {
  const text = new Date(instant).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 16) };
}

/** A customer of one round. */
function customer(round: number, i: number): { customerName: string; email: string } {
  return { customerName: `Customer ${i}`, email: `customer-${round}-${i}@example.org` };
}

/** A calendar of an owner of its own, and two bots that book into it; or one, named twice. */
interface Calendar {
  readonly owner: string;
  readonly bot: string;
  readonly other: string;
}

describe.each([
  ['sqlite', 1],
  ['postgres', 1],
  ['postgres', 2],
] as const)(`${rivals} rivals (%s, servers: %i)`, (dialect, processes) => {
  let servers: RivalServers;
  beforeAll(async () => {
    servers = await startRivalServers(dialect, processes);
  });
  afterAll(() => servers.close());

  let owners = 0;
  const newCalendar = async (bots = 1): Promise<Calendar> => {
    const { main } = servers;
    const owner = `owner-${owners++}@example.com`;
    main.sandbox.addAccount({ email: owner, timeZone: 'UTC' });
    const botIds: string[] = [];
    for (let i = 0; i < bots; i++) {
      botIds.push(await main.connectedBot(owner, { timeZone: 'UTC' }));
    }
    const [first = '', second = first] = botIds;
    return { owner, bot: first, other: second };
  };

  const book = (bot: string, body: object) =>
    servers.call('POST', `/api/calendar/create-event/${bot}`, body);
  const hold = (bot: string, body: object) =>
    servers.call('POST', `/api/calendar/hold/${bot}`, body);
  const move = (bot: string, id: unknown, to: object) =>
    servers.call('POST', `/api/calendar/reschedule-event/${bot}/${String(id)}`, to);
  const all = <T>(attempt: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: rivals }, (_, i) => attempt(i)));

  /** Checks that one of them won, and that all others were told so. */
  const oneWins = (answers: readonly Answer[], won: readonly number[] = [201]): Answer => {
    const winners = answers.filter(({ status }) => won.includes(status));
    const others = answers.filter(({ status }) => !won.includes(status));
    const codes = new Set(others.map(({ status, body }) => `${status} ${String(body.code)}`));
    expect(codes).toEqual(new Set(['409 slot_unavailable']));
    const [winner] = winners;
    expect(winners).toHaveLength(1);
    return winner as Answer;
  };

  /** Events of the owner that touch the round. */
  const eventsOf = (owner: string, from: number) =>
    servers.main.sandbox.events(owner).filter(({ status, start, end }) => {
      const startsAt = Date.parse(start?.dateTime ?? '');
      const endsAt = Date.parse(end?.dateTime ?? '');
      return status !== 'cancelled' && startsAt < from + apartMs / 2 && endsAt > from - apartMs / 2;
    });

  /** Runs all rounds, and checks what is stored in the end: here and in Google the same. */
  const contest = async (
    { owner, bot, other }: Calendar,
    round: (from: number, round: number) => Promise<void>,
  ): Promise<void> => {
    for (let i = 0; i < rounds; i++) await round(firstRound + i * apartMs, i);
    const { database, sandbox } = servers.main;
    const claims = await runSql(
      database,
      `select c.starts_at, c.ends_at, a.google_event_id, a.status
       from claims c join appointments a on a.id = c.appointment_id
       where c.calendar in (
         select calendar from appointments where client_id in ('${bot}', '${other}'))
       order by c.starts_at`,
    );
    claims.reduce((before, claim) => {
      expect(Number(claim.starts_at)).toBeGreaterThanOrEqual(Number(before));
      return claim.ends_at;
    }, 0 as unknown);
    const there = sandbox.events(owner).filter(({ status }) => status !== 'cancelled');
    expect(
      claims.map((claim) => [claim.status, claim.google_event_id, Number(claim.starts_at)]),
    ).toEqual(
      there
        .map(({ id, start }) => ['confirmed', id, Date.parse(start?.dateTime ?? '')] as const)
        .sort((a, b) => a[2] - b[2]),
    );
  };

  test('for one slot: one books it', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    await contest(place, async (from, round) => {
      const answers = await all((i) => book(bot, { ...customer(round, i), ...at(from) }));
      const { body } = oneWins(answers);
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual([body.eventId]);
    });
  });

  test('for overlapping spans of unequal lengths: one books its own', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    await contest(place, async (from, round) => {
      // Begins up to an hour before, ends up to 35 minutes after the instant that all want.
      const answers = await all((i) => {
        const [before, after] = [(i % 13) * 5, ((i % 7) + 1) * 5];
        const span = { ...at(from - before * minuteMs), durationMinutes: before + after };
        return book(bot, { ...customer(round, i), ...span });
      });
      const { body } = oneWins(answers);
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual([body.eventId]);
    });
  });

  test('by two bots for one slot of a calendar: one books it', { timeout }, async () => {
    const place = await newCalendar(2);
    const { owner, bot, other } = place;
    await contest(place, async (from, round) => {
      const answers = await all((i) =>
        book(i % 4 < 2 ? bot : other, { ...customer(round, i), ...at(from) }),
      );
      const { body } = oneWins(answers);
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual([body.eventId]);
    });
  });

  test('some holding, some booking one slot: one has it', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    await contest(place, async (from, round) => {
      const answers = await all((i) =>
        // Every other round begins with the other kind.
        i % 4 < 2 === (round % 2 === 0)
          ? hold(bot, at(from))
          : book(bot, { ...customer(round, i), ...at(from) }),
      );
      const { body } = oneWins(answers);
      const eventId = body.holdId === undefined ? [body.eventId] : [];
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual(eventId);
    });
  });

  test('for a slot that one of them holds: the holder books it', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    await contest(place, async (from, round) => {
      const { holdId } = (await hold(bot, at(from))).body;
      const holder = (round * 37) % rivals;
      const answers = await all((i) =>
        book(bot, { ...customer(round, i), ...at(from), ...(i === holder ? { holdId } : {}) }),
      );
      oneWins(answers);
      expect(answers[holder]).toMatchObject({ status: 201 });
      expect(eventsOf(owner, from)).toHaveLength(1);
    });
  });

  test('for a slot whose hold has ended: one books it', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    await contest(place, async (from, round) => {
      const held = await hold(bot, { ...at(from), holdMinutes: 1 });
      expect(held.status).toBe(201);
      await servers.advance(minuteMs + 1);
      const answers = await all((i) => book(bot, { ...customer(round, i), ...at(from) }));
      const { body } = oneWins(answers);
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual([body.eventId]);
    });
  });

  test('some moving there, some booking one slot: one has it', { timeout }, async () => {
    const place = await newCalendar();
    const { owner, bot } = place;
    const places = Array.from({ length: rivals / 2 }, (_, i) => firstRound - (i + 2) * apartMs);
    const moving: { id: unknown; startsAt: number }[] = [];
    for (const [i, startsAt] of places.entries()) {
      const { status, body } = await book(bot, { ...customer(-1, i), ...at(startsAt) });
      expect(status).toBe(201);
      moving.push({ id: body.appointmentId, startsAt });
    }
    await contest(place, async (from, round) => {
      const answers = await all((i) => {
        const mover = i % 4 < 2 ? moving[Math.floor(i / 4) * 2 + (i % 4)] : undefined;
        return mover
          ? move(bot, mover.id, at(from))
          : book(bot, { ...customer(round, i), ...at(from) });
      });
      const { body } = oneWins(answers, [200, 201]);
      expect(eventsOf(owner, from).map(({ id }) => id)).toEqual([body.eventId]);
      // Who lost stays where it was.
      const moved = moving.find(({ id }) => id === body.id);
      if (moved) moved.startsAt = from;
    });
    const standing = await runSql(servers.main.database, 'select id, starts_at from appointments');
    const startOf = new Map(standing.map((row) => [row.id, Number(row.starts_at)]));
    expect(moving.map(({ id }) => startOf.get(String(id)))).toEqual(
      moving.map(({ startsAt }) => startsAt),
    );
  });
});
