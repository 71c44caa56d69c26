/**
 * The limit that the sandbox is measured against: node:http that reads and parses the same JSON
 * body and answers a fixed event. Nothing is stored, checked or logged.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const EVENT = JSON.stringify({
  kind: 'calendar#event',
  etag: '"3590697760034000"',
  id: 'skatrnhti636ggo4fgm2qsg65g',
  status: 'confirmed',
  htmlLink:
    'https://www.google.com/calendar/event?eid=c2thdHJuaHRpNjM2Z2dvNGZnbTJxc2c2NWcgYWRhQGV4YW1wbGUuY29t',
  created: '2026-11-22T12:01:20.017Z',
  updated: '2026-11-22T12:01:20.017Z',
  summary: 'Appointment with Grace Hopper',
  description: 'Name: Grace Hopper\nE-mail: grace@customer.example\nPhone: +49 30 1234567',
  creator: { email: 'ada@example.com', self: true },
  organizer: { email: 'ada@example.com', self: true },
  start: { dateTime: '2027-01-11T09:00:00+01:00', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2027-01-11T09:30:00+01:00', timeZone: 'Europe/Berlin' },
  iCalUID: 'skatrnhti636ggo4fgm2qsg65g@google.com',
  sequence: 0,
  attendees: [{ email: 'grace@customer.example', responseStatus: 'needsAction' }],
  extendedProperties: { private: { bot: 'bot-17' } },
  reminders: { useDefault: false, overrides: [{ method: 'email', minutes: 1440 }] },
  eventType: 'default',
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof parsed !== 'object') throw new Error('Not an event.');
    response.writeHead(200, {
      'content-type': 'application/json; charset=UTF-8',
      'content-length': Buffer.byteLength(EVENT),
    });
    response.end(EVENT);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`ready ${JSON.stringify({ url: `http://127.0.0.1:${port}` })}`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
