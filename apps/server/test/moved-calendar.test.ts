import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectAs } from '../src/demo/connect-as.ts';
import { describeOnEachDatabase } from './support/databases.ts';
import { openTestApp, type TestApp } from './support/test-app.ts';

describeOnEachDatabase(
  'a booking that waits while its bot moves to another calendar',
  (dialect) => {
    let server: TestApp;
    beforeAll(async () => {
      server = await openTestApp({ dialect });
    });
    afterAll(() => server.close());

    test('is made in the new one, and holds no time of the old one', async () => {
      const bot = await server.connectedBot('ada@example.com');
      const booking = {
        customerName: 'Alan Turing',
        email: 'alan@example.org',
        date: '2027-06-01',
        time: '10:00',
      };
      const create = (id: string, body: object) =>
        server.call('POST', `/api/calendar/create-event/${id}`, body);
      const outage = server.sandbox.faults.add({
        route: 'events.insert',
        times: 1_000,
        fault: { kind: 'status', status: 503 },
      });
      const waiting = await create(bot, booking);
      expect(waiting.status).toBe(202);
      outage.remove();

      const link = await server.call('POST', `/api/calendar/connect/${bot}`);
      const page = await connectAs(server.sandbox, String(link.body.url), {
        account: 'grace@example.com',
      });
      expect(page.status).toBe(200);

      const made = await create(bot, booking);
      expect(made).toMatchObject({
        status: 200,
        body: { status: 'confirmed', appointmentId: waiting.body.appointmentId },
      });
      const eventsOf = (email: string) => server.sandbox.events(email).map((event) => event.id);
      expect(eventsOf('grace@example.com')).toEqual([made.body.eventId]);
      expect(eventsOf('ada@example.com')).toEqual([]);

      const neighbour = await server.connectedBot('ada@example.com');
      const other = await create(neighbour, { ...booking, email: 'betty@example.org' });
      expect(other.status).toBe(201);
    });
  },
);
