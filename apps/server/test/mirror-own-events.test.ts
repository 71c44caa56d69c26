import { beforeEach, expect, test } from 'vitest';
import type {
  BusyChange,
  ExpectedEvent,
  FollowedEvents,
  MirrorListener,
  OwnEvents,
} from '../src/sync/listener.ts';
import { book, bookingOf } from './support/bookings.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import type { TestApp } from './support/test-app.ts';
import {
  answerNextList,
  mirroredBot,
  type TestMirror,
  utc,
  withMirrors,
} from './support/test-mirror.ts';

describeOnEachDatabase("the appointments' own events in the mirror", (dialect) => {
  let app: TestApp;
  let own: TestMirror;
  /** What the listener heard, and what it answers. */
  let heard: OwnEvents[] = [];
  let changes: BusyChange[] = [];
  let expected: ExpectedEvent[] = [];
  let answer: (own: OwnEvents) => FollowedEvents | Error;

  const listener: MirrorListener = {
    expectedEvents: async () => expected,
    async ownEvents(_tx, events) {
      heard.push(events);
      const answered = answer(events);
      if (answered instanceof Error) throw answered;
      return answered;
    },
    async busyChanged(_tx, change) {
      changes.push(change);
    },
  };
  withMirrors(
    dialect,
    async (opened) => {
      ({ app, own } = opened);
    },
    listener,
  );
  beforeEach(() => {
    answer = () => ({ keep: new Set() });
    heard = [];
    changes = [];
    expected = [];
  });

  const monday = ['2026-01-19T00:00Z', '2026-01-20T00:00Z'] as const;
  const bookMonday = async (botId: string) => {
    const booked = await book(app, botId, bookingOf({ date: '2026-01-19', time: '10:00' }));
    expect(booked.status).toBe(201);
    return { appointmentId: String(booked.body.appointmentId), id: String(booked.body.eventId) };
  };

  test('are handed over, moved, deleted and restored, and take no time of their own', async () => {
    const { botId, put } = await mirroredBot(app);
    await own.pulled(botId, ...monday);
    const { appointmentId, id } = await bookMonday(botId);
    heard = [];
    expect(await own.pulled(botId, ...monday)).toEqual([]);
    put({ id, ...utc('2026-01-19T14:00', '2026-01-19T16:00') });
    await own.pulled(botId, ...monday);
    put({ id, status: 'cancelled' });
    await own.pulled(botId, ...monday);
    put({ id, status: 'confirmed' });
    expect(await own.pulled(botId, ...monday)).toEqual([]);
    const span = (start: string, end: string) => ({
      startsAt: Date.parse(start),
      endsAt: Date.parse(end),
    });
    const moved = span('2026-01-19T14:00Z', '2026-01-19T16:00Z');
    expect(heard.flatMap(({ events }) => events)).toMatchObject([
      {
        appointmentId,
        cancelled: false,
        busy: true,
        span: span('2026-01-19T09:00Z', '2026-01-19T09:30Z'),
      },
      { appointmentId, eventId: id, cancelled: false, span: moved, sequence: 1 },
      { appointmentId, eventId: id, cancelled: true, busy: false },
      { appointmentId, eventId: id, cancelled: false, busy: true, span: moved },
    ]);
    const key = await own.keyOf(botId);
    expect(heard.map((each) => [each.calendar, each.missing])).toEqual(heard.map(() => [key, []]));
    expect(changes).toEqual([]);
  });

  test('that no claim holds are kept as busy spans', async () => {
    const { botId } = await mirroredBot(app);
    const { appointmentId, id } = await bookMonday(botId);
    answer = ({ events }) => ({ keep: new Set(events.map(({ eventId }) => eventId)) });
    expect(await own.pulled(botId, ...monday)).toEqual(['2026-01-19T09:00/2026-01-19T09:30']);
    expect(changes).toMatchObject([{ appeared: [{ eventId: id, appointmentId }], vanished: [] }]);
  });

  test('that are deleted are told of even when nothing but their id comes', async () => {
    const { botId } = await mirroredBot(app);
    const { id } = await bookMonday(botId);
    await own.pulled(botId, ...monday);
    heard = [];
    answerNextList(app, [{ id, status: 'cancelled' }]);
    await own.pulled(botId, ...monday);
    expect(heard).toMatchObject([
      { events: [{ eventId: id, cancelled: true, appointmentId: null, span: null }] },
    ]);
  });

  test('that a complete pull did not bring are told of as missing', async () => {
    const { botId, put } = await mirroredBot(app);
    const { id, appointmentId } = await bookMonday(botId);
    const there = put(utc('2026-01-19T12:00', '2026-01-19T13:00'));
    await own.pulled(botId, ...monday);
    put({ id, status: 'cancelled' });
    app.sandbox.clock.advance(25 * 3_600_000);
    heard = [];
    const gone = { eventId: id, appointmentId, revision: 1 };
    expected = [gone, { eventId: there.id, appointmentId: 'apt-other', revision: 1 }];
    await own.pulled(botId, ...monday);
    expect(heard).toMatchObject([{ events: [], missing: [gone] }]);
  });

  test('that the owner made a series of come as occurrences of it', async () => {
    const { botId, put } = await mirroredBot(app);
    const { appointmentId, id } = await bookMonday(botId);
    await own.pulled(botId, ...monday);
    put({ id, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=2'] });
    heard = [];
    await own.pulled(botId, ...monday);
    expect(heard.at(-1)?.events).toMatchObject([
      { appointmentId, seriesId: id, eventId: `${id}_20260119T090000Z` },
      { appointmentId, seriesId: id, eventId: `${id}_20260126T090000Z` },
    ]);
  });

  test('that this server has just written tell nothing new, until the owner changes them', async () => {
    const { botId, email, put } = await mirroredBot(app);
    await own.pulled(botId, ...monday);
    const before = await own.rowOf(botId);
    const { id } = await bookMonday(botId);
    const written = app.sandbox.events(email).find((event) => event.id === id);
    own.mirror.written.note(id, written?.etag ?? null);
    heard = [];
    expect(await own.pulled(botId, ...monday)).toEqual([]);
    expect([heard, await own.rowOf(botId)]).toEqual([[], before]);
    // The next pull goes on from there, though it is not stored.
    put({ id, ...utc('2026-01-19T14:00', '2026-01-19T16:00') });
    await own.pulled(botId, ...monday);
    expect(heard.flatMap(({ events }) => events)).toMatchObject([{ eventId: id, sequence: 1 }]);
  });

  test('that are being inserted tell nothing new where they are expected, and else all', async () => {
    const { botId, email, put } = await mirroredBot(app);
    await own.pulled(botId, ...monday);
    const { id } = await bookMonday(botId);
    const { start, end } = app.sandbox.events(email).find((event) => event.id === id) ?? {};
    const [startsAt, endsAt] = [start, end].map((one) => Date.parse(one?.dateTime ?? ''));
    own.mirror.written.inserting(id, { startsAt: Number(startsAt), endsAt: Number(endsAt) });
    heard = [];
    expect(await own.pulled(botId, ...monday)).toEqual([]);
    expect(heard).toEqual([]);
    put({ id, ...utc('2026-01-19T14:00', '2026-01-19T16:00') });
    await own.pulled(botId, ...monday);
    put({ id, status: 'cancelled' });
    await own.pulled(botId, ...monday);
    const told = heard.flatMap(({ events }) => events);
    expect(told).toMatchObject([{ eventId: id }, { eventId: id, cancelled: true }]);
  });

  test('are stored once, however many bookings read the calendar meanwhile', async () => {
    const { botId } = await mirroredBot(app);
    const last = await book(app, botId, bookingOf({ date: '2027-12-01', time: '10:00' }));
    expect(last.status).toBe(201);
    const before = await own.rowOf(botId);
    const booked = await Promise.all(
      Array.from({ length: 30 }, () => book(app, botId, bookingOf({}))),
    );
    expect(new Set(booked.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await own.rowOf(botId)).toEqual(before);
  });

  test('that the listener fails on leave the whole pull unstored, for the next one', async () => {
    const { botId, put } = await mirroredBot(app);
    await own.pulled(botId, ...monday);
    const { id } = await bookMonday(botId);
    put(utc('2026-01-19T14:00', '2026-01-19T16:00'));
    answer = () => new Error('the listener failed');
    await expect(own.pulled(botId, ...monday)).rejects.toThrow('the listener failed');
    expect(await own.busy(botId, ...monday)).toEqual([]);
    let committed = 0;
    answer = () => ({ keep: new Set(), committed: () => void committed++ });
    heard = [];
    expect(await own.pulled(botId, ...monday)).toEqual(['2026-01-19T14:00/2026-01-19T16:00']);
    expect(heard.flatMap(({ events }) => events)).toMatchObject([{ eventId: id }]);
    expect(committed).toBe(1);
  });

  test('aside, busy spans that appear and vanish are told', async () => {
    const { botId, put } = await mirroredBot(app);
    await own.pulled(botId, ...monday);
    const { id } = put(utc('2026-01-19T14:00', '2026-01-19T16:00'));
    await own.pulled(botId, ...monday);
    put({ id, ...utc('2026-01-19T15:00', '2026-01-19T16:00') });
    await own.pulled(botId, ...monday);
    put({ id, summary: 'Renamed' });
    await own.pulled(botId, ...monday);
    put({ id, status: 'cancelled' });
    await own.pulled(botId, ...monday);
    const from = (time: string) => ({ eventId: id, startsAt: Date.parse(`2026-01-19T${time}Z`) });
    expect(changes).toMatchObject([
      { appeared: [from('14:00')], vanished: [] },
      { appeared: [from('15:00')], vanished: [from('14:00')] },
      { appeared: [], vanished: [from('15:00')] },
    ]);
    expect(heard.every(({ events }) => events.length === 0)).toBe(true);
  });
});
