import type { FaultRule } from 'google-sandbox';
import type { Edit, FaultStep } from './steps.ts';
import { eventIdOf, type Span, spanOf, type World } from './world.ts';

const at = (epochMs: number) => ({ dateTime: new Date(epochMs).toISOString() });
const times = ({ startsAt, endsAt }: Span) => ({ start: at(startsAt), end: at(endsAt) });

/** Does what an owner does in Google's own pages, and writes it down. */
export function makeEdit(world: World, edit: Edit): void {
  const { server, email, owners, entries } = world;
  const put = (event: Record<string, unknown>) => server.sandbox.putEvent(email, event);
  const find = (id: string) => server.sandbox.events(email).find((event) => event.id === id);
  if (edit.kind === 'owner adds') {
    owners.push(String(put({ summary: 'Busy', ...times(spanOf(world, edit.place)) }).id));
    return;
  }
  if (edit.kind === 'owner moves' || edit.kind === 'owner deletes') {
    const id = owners[edit.which % Math.max(1, owners.length)];
    if (id === undefined || find(id)?.status === 'cancelled') return;
    put(
      edit.kind === 'owner deletes'
        ? { id, status: 'cancelled' }
        : { id, ...times(spanOf(world, edit.place)) },
    );
    return;
  }
  const entry = [...entries.values()][edit.which % Math.max(1, entries.size)];
  const event = entry && find(eventIdOf(entry.id));
  if (!entry || !event) return;
  const { id } = event;
  const isLive = event.status !== 'cancelled';
  switch (edit.kind) {
    case 'owner moves ours': {
      if (!isLive) return;
      const to = spanOf(world, edit.place);
      put({ id, ...times(to) });
      entry.movedTo.push(to);
      return;
    }
    case 'owner deletes ours':
      if (!isLive) return;
      put({ id, status: 'cancelled' });
      entry.deletedByOwner = true;
      return;
    case 'owner restores ours': {
      if (isLive) return;
      const restored = put({ id, status: 'confirmed' });
      entry.restoredByOwner = true;
      entry.movedTo.push({
        startsAt: Date.parse(restored.start?.dateTime ?? ''),
        endsAt: Date.parse(restored.end?.dateTime ?? ''),
      });
      return;
    }
    case 'owner copies ours': {
      if (!isLive || !event.extendedProperties) return;
      const { extendedProperties } = event;
      const copy = put({ extendedProperties, ...times(spanOf(world, edit.place)) });
      owners.push(String(copy.id));
      return;
    }
  }
}

const always = 1_000;
// With Retry-After, so that nobody waits in vain for the next attempt within the same call.
const headers = { 'retry-after': '30' };
const rateLimit = { error: { code: 403, errors: [{ reason: 'rateLimitExceeded' }] } };

const faults: Readonly<Record<FaultStep['fault'], Omit<FaultRule, 'route'>>> = {
  unavailable: { times: always, fault: { kind: 'status', status: 503, headers } },
  'rate limit': { times: 2, fault: { kind: 'status', status: 403, body: rateLimit, headers } },
  blip: { times: 1, fault: { kind: 'status', status: 503 } },
  reset: { times: 1, fault: { kind: 'reset' } },
  'lost answer': { times: 1, fault: { kind: 'commitThenDrop' } },
};

export function makeFault(world: World, { route, fault }: FaultStep): void {
  world.server.sandbox.faults.add({ route, ...faults[fault] });
  world.troubled = true;
}
