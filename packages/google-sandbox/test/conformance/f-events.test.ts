import type { calendar_v3 } from '@googleapis/calendar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/index.ts';
import { connect, halfHour, reasonOf, startTestSandbox } from '../google-client.ts';

let sandbox: Sandbox;
let api: calendar_v3.Calendar;
beforeEach(async () => {
  sandbox = await startTestSandbox();
  ({ api } = await connect(sandbox));
});
afterEach(() => sandbox.close());

const calendarId = 'primary';
const MONDAY = '2027-01-11T09:00:00+01:00';

async function inserted(more: Record<string, unknown> = {}): Promise<calendar_v3.Schema$Event> {
  return (await api.events.insert({ calendarId, requestBody: halfHour(MONDAY, more) })).data;
}

describe('F. get, patch, update, delete, list', () => {
  test('52 get of an unknown id is 404, of a deleted event 200 and cancelled', async () => {
    const { id } = await inserted();
    const eventId = id ?? '';
    expect((await api.events.get({ calendarId, eventId })).data.status).toBe('confirmed');
    await api.events.delete({ calendarId, eventId });
    const { status, data } = await api.events.get({ calendarId, eventId });
    expect([status, data.status, data.summary]).toEqual([200, 'cancelled', 'Appointment']);
    expect(await reasonOf(api.events.get({ calendarId, eventId: 'unknown0id' }))).toEqual({
      status: 404,
      reason: 'notFound',
      message: 'Not Found',
    });
  });
});
