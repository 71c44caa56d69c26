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
  type StoredAppointment,
  same,
  type World,
} from './world.ts';

const standing: ReadonlySet<string> = new Set(['pending', 'confirmed']);

function fail(what: string, ...about: unknown[]): never {
  throw new Error(`${what}: ${about.map((each) => JSON.stringify(each)).join(' ')}`);
}

function pairs<T>(all: readonly T[]): [T, T][] {
  return all.flatMap((a, i) => all.slice(i + 1).map((b): [T, T] => [a, b]));
}

/** Why a row that was acknowledged may have failed all the same. */
function mayHaveFailed(entry: Entry, row: StoredAppointment, now: number): boolean {
  if (entry.confirmed) return false;
  switch (row.failure) {
    case 'slot_unavailable':
      return rulesOfBots[entry.bot]?.acceptPending === true;
    case 'deleted_by_owner':
      return entry.deletedByOwner;
    case 'not_in_time':
      return row.endsAt <= now;
    default:
      return false;
  }
}

/** What holds after each step, whatever Google does. */
export function checkAlways(world: World, { appointments, claims, now }: Snapshot): void {
  for (const [a, b] of pairs(claims)) {
    if (overlap(a, b)) fail('claims overlap', a, b);
  }
  for (const entry of world.entries.values()) {
    const row = appointments.get(entry.id);
    if (!row) fail('acknowledged, and not there', entry);
    const { status } = row;
    if (entry.cancelled && status !== 'cancelled' && !entry.restoredByOwner) {
      fail('cancelled, and stands', entry, row);
    }
    if (!entry.cancelled && status === 'cancelled') {
      if (row.cancelledBy !== 'owner' || !entry.deletedByOwner)
        fail('not cancelled by', entry, row);
    }
    if (status === 'failed' && !mayHaveFailed(entry, row, now)) fail('failed', entry, row);
    if (standing.has(status) && ![...entry.asked, ...entry.movedTo].some((at) => same(at, row))) {
      fail('elsewhere', entry, row);
    }
  }
  const claimOf = new Map(claims.map((claim) => [claim.id, claim]));
  for (const row of appointments.values()) {
    const claim = claimOf.get(row.id);
    if (!standing.has(row.status)) {
      if (claim) fail('over, and keeps a claim', row, claim);
      continue;
    }
    const entry = world.entries.get(row.id);
    if (!entry) fail('stands, and was never acknowledged', row);
    if (!claim && !(row.conflictSince !== null && entry.movedTo.length > 0)) {
      fail('without a claim', row);
    }
    if (claim && !same(claim, buffered(row.bot, row))) fail('with another claim', row, claim);
  }
  for (const held of world.holds.values()) {
    if (held.expiresAt <= now) continue;
    const claim = claimOf.get(held.id);
    if (claim && same(claim, buffered(held.bot, held))) continue;
    if (!mayHaveGivenWay(world, held)) fail('hold lost', held, claim);
  }
}

/** Whether the owner put the event onto another appointment of the same customer. */
function ontoTwin(row: StoredAppointment): boolean {
  return row.failure === 'already_booked_by_customer' && row.conflictSince !== null;
}

/** Whether the event of an appointment that is over is there by the owner's will alone. */
function isOwners({ entries }: World, row: StoredAppointment): boolean {
  const entry = entries.get(row.id);
  if (!entry?.restoredByOwner) return false;
  const twins = [...entries.values()].some(
    ({ id, bot, email }) => id !== row.id && bot === row.bot && email === row.email,
  );
  return row.cancelledBy !== 'owner' || twins;
}

/** What holds once Google works, all jobs are done, and the calendar has been looked at. */
export function checkAtRest(world: World, state: Snapshot): void {
  const { appointments, events } = state;
  for (const row of appointments.values()) {
    const event = events.get(eventIdOf(row.id));
    const { status } = row;
    if (status === 'pending') fail('pending for ever', row);
    if (status === 'confirmed') {
      if (!event) fail('without an event', row);
      if (ontoTwin(row)) continue;
      if (!row.written || row.failure !== null) fail('not in Google', row);
      if (!same(event, row)) fail('event elsewhere', row, event);
    }
    if (status !== 'confirmed' && event && !isOwners(world, row)) {
      fail('over, and has an event', row, event);
    }
  }
  for (const event of events.values()) {
    const { id, appointmentId } = event;
    if (appointmentId === null || world.owners.includes(id)) continue;
    const row = appointments.get(appointmentId);
    if (!row || eventIdOf(row.id) !== id) fail('event of no appointment', event, row);
  }
  checkConflicts(state);
}

/** An appointment that something lies over says so, and no other does. */
function checkConflicts({ appointments, events, claims, now }: Snapshot): void {
  for (const row of appointments.values()) {
    if (row.status !== 'confirmed' || row.endsAt <= now || ontoTwin(row)) continue;
    const others = [...events.values()].filter(({ id }) => id !== eventIdOf(row.id));
    const over = others.filter((event) => overlap(event, row));
    const unclaimed = !claims.some(({ id }) => id === row.id);
    const near = unclaimed && claims.some((claim) => overlap(claim, buffered(row.bot, row)));
    if (over.length > 0 && row.conflictSince === null) fail('conflict not shown', row, over);
    if (over.length === 0 && row.conflictSince !== null && !near) {
      fail('conflict shown that is none', row, [...events.values()], claims);
    }
  }
}

/** The starts that are offered are those that are free. */
export async function checkSlots(
  world: World,
  { appointments, claims, events, now }: Snapshot,
): Promise<void> {
  const { server, base, bots } = world;
  const from = Math.max(base, Math.ceil(now / (15 * minuteMs) + 1) * 15 * minuteMs);
  const to = base + 5 * 60 * minuteMs;
  if (from >= to) return;
  const claimed = new Set(
    claims.flatMap(({ id }) => {
      const row = appointments.get(id);
      const event = events.get(eventIdOf(id));
      return row && event && same(row, event) ? [event.id] : [];
    }),
  );
  const taken: Span[] = [
    ...claims.filter(({ expiresAt }) => expiresAt === null || expiresAt > now),
    ...[...events.values()].filter(({ id }) => !claimed.has(id)),
  ];
  for (const [bot, id] of bots.entries()) {
    const expected: string[] = [];
    for (let startsAt = from; startsAt < to; startsAt += 15 * minuteMs) {
      const span = buffered(bot, { startsAt, endsAt: startsAt + 30 * minuteMs });
      if (!taken.some((other) => overlap(other, span))) {
        expected.push(new Date(startsAt).toISOString());
      }
    }
    const query = new URLSearchParams({
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      durationMinutes: '30',
    });
    const { status, body, text } = await server.call('GET', `/api/calendar/slots/${id}?${query}`);
    if (status !== 200) fail('slots', text);
    const offered = (body.slots as { start: string }[]).map(({ start }) =>
      new Date(start).toISOString(),
    );
    if (offered.join() !== expected.join()) fail('slots differ', offered, expected, taken);
  }
}
