import type { SqlConnection } from '../stored.ts';
import type { TestApp } from '../test-app.ts';
import type { Place } from './steps.ts';

export const minuteMs = 60_000;

/** Epoch milliseconds, half-open. */
export interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** Buffers in minutes, and whether bookings are taken while the calendar cannot be read. */
export const rulesOfBots = [
  { bufferBeforeMinutes: 0, bufferAfterMinutes: 0, acceptPending: false },
  { bufferBeforeMinutes: 15, bufferAfterMinutes: 5, acceptPending: true },
] as const;

/** An appointment as the model knows it: what was acknowledged, and what the owner did with it. */
export interface Entry {
  readonly id: string;
  readonly bot: number;
  readonly email: string;
  readonly request: { readonly body: Record<string, unknown>; readonly key: string | null };
  /** Whether it was acknowledged as confirmed, not as pending. */
  readonly confirmed: boolean;
  cancelled: boolean;
  /** Where it may be: where callers put it last, and wherever the owner did. */
  asked: Span[];
  readonly movedTo: Span[];
  deletedByOwner: boolean;
  restoredByOwner: boolean;
}

interface Hold extends Span {
  readonly id: string;
  readonly bot: number;
  readonly expiresAt: number;
}

/** A calendar that two bots book into. */
export interface SharedCalendar {
  readonly email: string;
  readonly bots: readonly string[];
  /** `<google_sub>/<calendar_id>` */
  readonly calendar: string;
}

/** A day of a calendar, and the model of what happened on it. */
export interface World extends SharedCalendar {
  /** Another one after a restart. */
  server: TestApp;
  readonly sql: SqlConnection;
  /** Where quarter 0 is, in epoch milliseconds. */
  readonly base: number;
  readonly entries: Map<string, Entry>;
  readonly holds: Map<string, Hold>;
  /** Ids of events that the owner made, copies of ours among them. */
  readonly owners: string[];
  /** Whether anything went wrong with Google so far. */
  troubled: boolean;
}

let accounts = 0;

export async function shareCalendar(server: TestApp, sql: SqlConnection): Promise<SharedCalendar> {
  const email = `owner${accounts++}@example.com`;
  server.sandbox.addAccount({ email, timeZone: 'UTC' });
  const bots: string[] = [];
  for (const rules of rulesOfBots) {
    bots.push(await server.connectedBot(email, { timeZone: 'UTC', slotStepMinutes: 15, ...rules }));
  }
  const [token] = await sql.run(
    `select google_sub, calendar_id from google_tokens where client_id = '${bots[0]}'`,
  );
  return { email, bots, calendar: `${token?.google_sub}/${token?.calendar_id}` };
}

/** Another day, on which nothing has happened. */
export function nextDay(server: TestApp, sql: SqlConnection, shared: SharedCalendar): World {
  const hourMs = 60 * minuteMs;
  server.sandbox.clock.advance(24 * hourMs);
  return {
    ...shared,
    server,
    sql,
    base: (Math.floor(server.sandbox.clock.now() / hourMs) + 6) * hourMs,
    entries: new Map(),
    holds: new Map(),
    owners: [],
    troubled: false,
  };
}

export function spanOf(world: World, { quarter, minutes }: Place): Span {
  const startsAt = world.base + quarter * 15 * minuteMs;
  return { startsAt, endsAt: startsAt + minutes * minuteMs };
}

/** With the buffers of a bot. */
export function buffered(bot: number, { startsAt, endsAt }: Span): Span {
  const rules = rulesOfBots[bot] ?? rulesOfBots[0];
  return {
    startsAt: startsAt - rules.bufferBeforeMinutes * minuteMs,
    endsAt: endsAt + rules.bufferAfterMinutes * minuteMs,
  };
}

export function overlap(a: Span, b: Span): boolean {
  return a.startsAt < b.endsAt && b.startsAt < a.endsAt;
}

export function same(a: Span, b: Span): boolean {
  return a.startsAt === b.startsAt && a.endsAt === b.endsAt;
}

/** Whether the owner put an appointment where a hold is: to that, holds give way. */
export function mayHaveGivenWay({ entries }: World, held: Hold): boolean {
  return [...entries.values()].some(({ bot, movedTo }) =>
    movedTo.some((to) => overlap(buffered(bot, to), buffered(held.bot, held))),
  );
}

export interface StoredAppointment extends Span {
  readonly id: string;
  readonly bot: number;
  readonly email: string;
  readonly status: string;
  readonly cancelledBy: string | null;
  readonly failure: string | null;
  readonly conflictSince: number | null;
  readonly written: boolean;
}

interface StoredClaim extends Span {
  readonly id: string;
  readonly appointmentId: string | null;
  readonly expiresAt: number | null;
}

/** An event that is in the calendar. */
interface LiveEvent extends Span {
  readonly id: string;
  readonly appointmentId: string | null;
}

/** All that is stored of a day, here and at Google. */
export interface Snapshot {
  readonly now: number;
  readonly appointments: ReadonlyMap<string, StoredAppointment>;
  readonly claims: readonly StoredClaim[];
  readonly events: ReadonlyMap<string, LiveEvent>;
}

export const eventIdOf = (appointmentId: string) => appointmentId.slice('apt-'.length);

export async function snapshot(world: World): Promise<Snapshot> {
  const { server, sql, calendar, bots, email, base } = world;
  const today = `where calendar = '${calendar}' and ends_at > ${base}`;
  const rows = await sql.run(`select * from appointments ${today}`);
  const claims = await sql.run(`select * from claims ${today}`);
  const numberOr = (value: unknown) => (value === null ? null : Number(value));
  return {
    now: server.sandbox.clock.now(),
    appointments: new Map(
      rows.map((row) => [
        String(row.id),
        {
          id: String(row.id),
          bot: bots.indexOf(String(row.client_id)),
          email: String(row.customer_email),
          status: String(row.status),
          cancelledBy: row.cancelled_by as string | null,
          failure: row.failure as string | null,
          conflictSince: numberOr(row.conflict_since),
          written: row.written_revision === row.revision,
          startsAt: Number(row.starts_at),
          endsAt: Number(row.ends_at),
        },
      ]),
    ),
    claims: claims.map((row) => ({
      id: String(row.id),
      appointmentId: row.appointment_id as string | null,
      expiresAt: numberOr(row.expires_at),
      startsAt: Number(row.starts_at),
      endsAt: Number(row.ends_at),
    })),
    events: new Map(
      server.sandbox
        .events(email)
        .filter(({ status }) => status !== 'cancelled')
        .map(
          (event) =>
            [
              String(event.id),
              {
                id: String(event.id),
                appointmentId: event.extendedProperties?.private?.calhookAppointmentId ?? null,
                startsAt: Date.parse(event.start?.dateTime ?? ''),
                endsAt: Date.parse(event.end?.dateTime ?? ''),
              },
            ] as const,
        )
        .filter(([, { endsAt }]) => endsAt > base),
    ),
  };
}
