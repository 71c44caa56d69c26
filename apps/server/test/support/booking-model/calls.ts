import { expect } from 'vitest';
import { type Answer, bootstrapKey } from '../test-app.ts';
import type { Call } from './steps.ts';
import {
  buffered,
  type Entry,
  eventIdOf,
  mayHaveGivenWay,
  minuteMs,
  overlap,
  rulesOfBots,
  type Snapshot,
  type Span,
  same,
  spanOf,
  type World,
} from './world.ts';

/** What a caller asks for, as a claim would be. */
interface Wish extends Span {
  readonly bot: number;
  /** The appointment or hold that is to become it. */
  readonly except: string | null;
}

/**
 * Whether a time is free, by what stood before the call; null when that cannot be said: something is
 * on its way to Google, or from there.
 */
function freeBefore(before: Snapshot, { bot, except, ...booked }: Wish): boolean | null {
  const inLine = [...before.appointments.values()].every((row) => {
    const event = before.events.get(eventIdOf(row.id));
    if (!row.written && row.status !== 'failed') return false;
    return row.status === 'confirmed' ? event !== undefined && same(event, row) : !event;
  });
  if (!inLine) return null;
  const span = buffered(bot, booked);
  const claims = before.claims.filter(
    ({ id, expiresAt }) => id !== except && (expiresAt ?? Number.POSITIVE_INFINITY) > before.now,
  );
  const claimed = new Set(claims.map(({ appointmentId }) => appointmentId));
  const events = [...before.events.values()].filter(
    ({ id, appointmentId }) =>
      !(appointmentId !== null && eventIdOf(appointmentId) === id && claimed.has(appointmentId)) &&
      !(except !== null && eventIdOf(except) === id),
  );
  return ![...claims, ...events].some((taken) => overlap(taken, span));
}

/** Holds the answer to a wish for a time against what was free. */
function judge(world: World, before: Snapshot | null, wish: Wish, answer: Answer): void {
  const { status, text } = answer;
  const code = String(answer.body.code);
  const { troubled } = world;
  const known = [200, 201, 202].includes(status)
    ? true
    : {
        slot_unavailable: true,
        hold_expired: true,
        already_booked_by_customer: true,
        appointment_changing: true,
        appointment_not_active: true,
        time_in_past: before === null || wish.startsAt <= before.now + minuteMs,
        // A busy machine may be late without any fault of Google.
        calendar_unreachable: troubled || String(answer.body.reason).endsWith('_under_way'),
      }[code];
  if (!known) throw new Error(`not to be expected: ${status} ${text}`);
  if (before === null) return;
  const free = freeBefore(before, wish);
  if (free === null) return;
  if (status < 300) {
    const unread = troubled && rulesOfBots[wish.bot]?.acceptPending;
    if (!free && !unread) throw new Error(`given although it was taken: ${status} ${text}`);
  } else if (free && code === 'slot_unavailable') {
    throw new Error(`refused although it was free: ${status} ${text}`);
  }
}

let keys = 0;
const emailOf = (customer: number) => `customer${customer}@example.org`;

function wallClock({ startsAt, endsAt }: Span): Record<string, unknown> {
  const text = new Date(startsAt).toISOString();
  const durationMinutes = (endsAt - startsAt) / minuteMs;
  return { date: text.slice(0, 10), time: text.slice(11, 16), durationMinutes };
}

function nth<T>(all: Iterable<T>, which: number): T | undefined {
  const list = [...all];
  return list[which % Math.max(1, list.length)];
}

interface BookingCall extends Span {
  readonly bot: number;
  readonly email: string;
  readonly key: string | null;
  readonly holdId: string | null;
}

async function book(world: World, before: Snapshot | null, wanted: BookingCall): Promise<void> {
  const { bot, email, key, holdId } = wanted;
  const { server, entries, bots } = world;
  const body = {
    customerName: 'Customer',
    email,
    ...wallClock(wanted),
    ...(holdId ? { holdId } : {}),
  };
  const answer = await server.send(`/api/calendar/create-event/${bots[bot]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bootstrapKey}`,
      'content-type': 'application/json',
      ...(key ? { 'idempotency-key': key } : {}),
    },
    body: JSON.stringify(body),
  });
  const id = String(answer.body.appointmentId);
  const twin =
    before &&
    ([...before.appointments.values()].find(
      (row) =>
        ['pending', 'confirmed'].includes(row.status) &&
        row.bot === bot &&
        row.email === email &&
        row.startsAt === wanted.startsAt,
    ) ??
      null);
  const marked = [...entries.values()].find(
    ({ id: known, request }) =>
      key !== null &&
      request.key === key &&
      before !== null &&
      before.appointments.get(known)?.status !== 'failed',
  );
  if (marked || twin) {
    expect([answer.text, answer.status]).toEqual([answer.text, expect.toSatisfy(isReplay)]);
    const replayed = marked?.id ?? twin?.id;
    expect(id).toBe(replayed);
    return;
  }
  if (answer.body.replayed === true) {
    return mayBeReplayed(world, before, wanted, id);
  }
  judge(world, before, { ...wanted, except: holdId }, answer);
  if (answer.status !== 201 && answer.status !== 202) return;
  expect(entries.has(id)).toBe(false);
  const entry: Entry = {
    id,
    bot,
    email,
    request: { body, key },
    confirmed: answer.status === 201,
    cancelled: false,
    asked: [{ startsAt: wanted.startsAt, endsAt: wanted.endsAt }],
    movedTo: [],
    deletedByOwner: false,
    restoredByOwner: false,
  };
  entries.set(id, entry);
  if (holdId) world.holds.delete(holdId);
}

const isReplay = (status: number) => status === 200 || status === 202;

/** What did not stand before can be replayed all the same: the owner has moved it there, or a call beside this one made it. */
async function mayBeReplayed(
  world: World,
  before: Snapshot | null,
  { bot, email, startsAt }: BookingCall,
  id: string,
): Promise<void> {
  if (before === null) {
    await expect.poll(() => world.entries.has(id), { timeout: 5_000, interval: 5 }).toBe(true);
    return;
  }
  const known = world.entries.get(id);
  const moved = known?.movedTo.some((to) => to.startsAt === startsAt);
  if (!moved || known?.bot !== bot || known.email !== email) {
    throw new Error(`replayed although nothing stood: ${id}`);
  }
}

async function hold(
  world: World,
  before: Snapshot | null,
  wanted: Span & { readonly bot: number; readonly holdMinutes: number },
): Promise<void> {
  const { bot, startsAt, endsAt, holdMinutes } = wanted;
  const { server, bots, holds } = world;
  const body = { ...wallClock(wanted), holdMinutes };
  const answer = await server.call('POST', `/api/calendar/hold/${bots[bot]}`, body);
  judge(world, before, { bot, startsAt, endsAt, except: null }, answer);
  if (answer.status !== 201) return;
  const id = String(answer.body.holdId);
  const expiresAt = Number(answer.body.expiresAt);
  holds.set(id, { id, bot, startsAt, endsAt, expiresAt });
}

async function release(world: World, before: Snapshot | null, id: string): Promise<void> {
  const { server, bots, holds } = world;
  const held = holds.get(id);
  if (!held) return;
  const path = `/api/calendar/hold/${bots[held.bot]}/${id}`;
  const { status } = await server.call('DELETE', path);
  const live = before !== null && held.expiresAt > before.now && !mayHaveGivenWay(world, held);
  expect(live ? [204] : [204, 404]).toContain(status);
  holds.delete(id);
}

async function cancel(world: World, before: Snapshot | null, entry: Entry): Promise<void> {
  const { server, bots } = world;
  const path = `/api/calendar/cancel-event/${bots[entry.bot]}/${entry.id}`;
  const { status, body, text } = await server.call('POST', path);
  if (status === 200) {
    expect(body.status).toBe('cancelled');
    entry.cancelled = true;
    return;
  }
  expect([text, status, body.code]).toEqual([text, 409, 'appointment_not_active']);
  const row = before?.appointments.get(entry.id);
  if (before && row && row.status !== 'failed') {
    expect(row.endsAt).toBeLessThan(before.now + minuteMs);
  }
}

async function reschedule(
  world: World,
  before: Snapshot | null,
  entry: Entry,
  to: Span,
): Promise<void> {
  const { server, bots } = world;
  const { id, bot } = entry;
  const path = `/api/calendar/reschedule-event/${bots[bot]}/${id}`;
  const answer = await server.call('POST', path, wallClock(to));
  const { status, body } = answer;
  const row = before?.appointments.get(id);
  if (!(status === 200 && row && same(row, to))) {
    judge(world, before, { bot, ...to, except: id }, answer);
  }
  if (status === 200) entry.asked = before ? [to] : [...entry.asked, to];
  if (before && body.code === 'already_booked_by_customer') {
    const others = [...world.entries.values()].filter(
      (other) => other.id !== id && other.bot === bot && other.email === entry.email,
    );
    const there = others.some((other) =>
      [before.appointments.get(other.id), ...other.movedTo].some(
        (at) => at?.startsAt === to.startsAt,
      ),
    );
    expect([answer.text, there]).toEqual([answer.text, true]);
  }
}

/**
 * Makes a call of the API, and writes down what it acknowledged.
 *
 * @param before what stood before; null: calls are made together, and nothing can be foretold
 */
export async function makeCall(world: World, call: Call, before: Snapshot | null): Promise<void> {
  const { entries, holds } = world;
  switch (call.kind) {
    case 'book': {
      const key = call.keyed ? `key ${keys++}` : null;
      const email = emailOf(call.customer);
      return book(world, before, {
        ...spanOf(world, call.place),
        bot: call.bot,
        email,
        key,
        holdId: null,
      });
    }
    case 'repeat': {
      const entry = nth(entries.values(), call.which);
      if (!entry) return;
      const { bot, email, request } = entry;
      const { date, time, durationMinutes, holdId } = request.body;
      const startsAt = Date.parse(`${date}T${time}:00Z`);
      const endsAt = startsAt + Number(durationMinutes) * minuteMs;
      const held = holdId === undefined ? null : String(holdId);
      return book(world, before, { startsAt, endsAt, bot, email, key: request.key, holdId: held });
    }
    case 'hold':
      return hold(world, before, { ...spanOf(world, call.place), ...call });
    case 'book held': {
      const held = nth(holds.values(), call.which);
      if (!held) return;
      const { bot, startsAt, endsAt, id } = held;
      const email = emailOf(call.customer);
      return book(world, before, { startsAt, endsAt, bot, email, key: null, holdId: id });
    }
    case 'release': {
      const held = nth(holds.values(), call.which);
      return held && release(world, before, held.id);
    }
    case 'cancel': {
      const entry = nth(entries.values(), call.which);
      return entry && cancel(world, before, entry);
    }
    case 'reschedule': {
      const entry = nth(entries.values(), call.which);
      return entry && reschedule(world, before, entry, spanOf(world, call.place));
    }
  }
}
