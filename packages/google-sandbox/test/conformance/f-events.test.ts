import type { calendar_v3 } from '@googleapis/calendar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import {
  ADA,
  connect,
  halfHour,
  MONDAY,
  reasonOf,
  refusalOf,
  startTestSandbox,
} from '../google-client.ts';

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox();
  ({ api } = await connect(sandbox));
});
afterEach(() => sandbox.close());

const calendarId = 'primary';
const GUESTS = [{ email: 'one@customer.example' }, { email: 'two@customer.example' }];

async function inserted(more: Record<string, unknown> = {}) {
  const { data } = await api.events.insert({ calendarId, requestBody: halfHour(MONDAY, more) });
  return { ...data, id: data.id ?? '', etag: data.etag ?? '' };
}

async function patched(eventId: string, requestBody: Record<string, unknown>) {
  return (await api.events.patch({ calendarId, eventId, requestBody })).data;
}

async function cancelled(eventId: string): Promise<void> {
  expect((await api.events.delete({ calendarId, eventId })).status).toBe(204);
}

describe('F. get, patch, update, delete', () => {
  test('52 get of an unknown id is 404, of a deleted event 200 and cancelled', async () => {
    const { id: eventId } = await inserted();
    expect((await api.events.get({ calendarId, eventId })).data.status).toBe('confirmed');
    await cancelled(eventId);
    const { status, data } = await api.events.get({ calendarId, eventId });
    expect([status, data.status, data.summary]).toEqual([200, 'cancelled', 'Appointment']);
    expect(await reasonOf(api.events.get({ calendarId, eventId: 'unknown0id' }))).toEqual({
      status: 404,
      reason: 'notFound',
      message: 'Not Found',
    });
  });

  test('53 patch merges, null deletes, arrays are replaced; etag, updated and sequence follow', async () => {
    const made = await inserted({
      location: 'Room 1',
      attendees: GUESTS,
      extendedProperties: { private: { a: '1', b: '2' } },
    });
    const renamed = await patched(made.id, { summary: 'Renamed' });
    expect(renamed).toMatchObject({ summary: 'Renamed', location: 'Room 1', sequence: 0 });
    expect(renamed.etag).not.toBe(made.etag);
    expect(Date.parse(renamed.updated ?? '')).toBeGreaterThan(Date.parse(made.updated ?? ''));

    const emptied = await patched(made.id, { location: null });
    expect(emptied).not.toHaveProperty('location');
    const fewer = await patched(made.id, { attendees: [{ email: 'three@customer.example' }] });
    expect(fewer.attendees).toEqual([
      { email: 'three@customer.example', responseStatus: 'needsAction' },
    ]);
    const properties = await patched(made.id, {
      extendedProperties: { private: { a: null, c: '3' } },
    });
    expect(properties.extendedProperties).toEqual({ private: { b: '2', c: '3' } });

    const before = (await api.events.get({ calendarId, eventId: made.id })).data;
    const reminders = { useDefault: false, overrides: [{ method: 'email', minutes: 1440 }] };
    const reminded = await patched(made.id, { reminders });
    expect(reminded.reminders).toEqual(reminders);
    expect([reminded.etag, reminded.updated]).toEqual([before.etag, before.updated]);

    const moved = await patched(made.id, {
      start: { dateTime: '2027-01-12T09:00:00+01:00' },
      end: { dateTime: '2027-01-12T09:30:00+01:00' },
    });
    expect(moved.sequence).toBe(1);
    expect(moved.start).toEqual({
      dateTime: '2027-01-12T09:00:00+01:00',
      timeZone: 'Europe/Berlin',
    });
    // Update resets what it does not name.
    const { data: updated } = await api.events.update({
      calendarId,
      eventId: made.id,
      requestBody: halfHour(MONDAY),
    });
    expect(updated).not.toHaveProperty('attendees');
    expect(updated).not.toHaveProperty('extendedProperties');
    expect(updated).toMatchObject({ sequence: 2, reminders: { useDefault: true } });
  });

  test('54 a stale If-Match is 412, an equal If-None-Match is 304', async () => {
    const made = await inserted();
    const stale = { headers: { 'If-Match': made.etag } };
    const { etag } = await patched(made.id, { summary: 'Newer' });
    const requestBody = halfHour(MONDAY);
    const target = { calendarId, eventId: made.id };
    const attempts = [
      api.events.patch({ ...target, requestBody }, stale),
      api.events.update({ ...target, requestBody }, stale),
      api.events.delete(target, stale),
    ];
    for (const attempt of attempts) {
      const { status, body } = await refusalOf(attempt);
      expect([status, body]).toEqual([
        412,
        {
          error: {
            errors: [
              {
                domain: 'global',
                reason: 'conditionNotMet',
                message: 'Precondition Failed',
                locationType: 'header',
                location: 'If-Match',
              },
            ],
            code: 412,
            message: 'Precondition Failed',
          },
        },
      ]);
    }
    const same = await api.events.get(target, { headers: { 'If-None-Match': etag ?? '' } });
    expect([same.status, same.data]).toEqual([304, '']);
    const list = await api.events.list({ calendarId });
    const unchanged = await api.events.list(
      { calendarId },
      { headers: { 'If-None-Match': list.data.etag ?? '' } },
    );
    expect(unchanged.status).toBe(304);
    const fresh = { headers: { 'If-Match': etag ?? '' } };
    expect((await api.events.patch({ ...target, requestBody }, fresh)).status).toBe(200);
    expect(sandbox.requests.of('events.patch').at(-1)?.headers['if-match']).toBe(etag);
  });

  test('55 delete is 204 once, then 410; a deleted event can be restored by patch', async () => {
    const { id: eventId } = await inserted();
    const response = await api.events.delete({ calendarId, eventId });
    expect([response.status, response.data]).toEqual([204, '']);
    const gone = { status: 410, reason: 'deleted', message: 'Resource has been deleted' };
    expect(await reasonOf(api.events.delete({ calendarId, eventId }))).toEqual(gone);
    expect(await reasonOf(patched(eventId, { summary: 'Ghost' }))).toEqual(gone);

    sandbox.set({ patchOfDeleted: 'gone' });
    expect(await reasonOf(patched(eventId, { status: 'confirmed' }))).toEqual(gone);
    sandbox.set({ patchOfDeleted: 'forbidden' });
    expect((await reasonOf(patched(eventId, { status: 'confirmed' }))).status).toBe(403);
    sandbox.set({ patchOfDeleted: 'restore' });
    expect(await patched(eventId, { status: 'confirmed' })).toMatchObject({
      status: 'confirmed',
      summary: 'Appointment',
    });
    expect(sandbox.events(ADA).map((event) => event.status)).toEqual(['confirmed']);
  });
});
