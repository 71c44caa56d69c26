import { connect, type Socket } from 'node:net';

/** Connections that insert at the same time. */
const CONNECTIONS = 8;

/** What a booking's insert looks like; the start moves on with each event. */
function eventBody(index: number): string {
  const start = Date.UTC(2027, 0, 11, 8) + (index % 100_000) * 1_800_000;
  return JSON.stringify({
    summary: 'Appointment with Grace Hopper',
    description: 'Name: Grace Hopper\nE-mail: grace@customer.example\nPhone: +49 30 1234567',
    start: { dateTime: new Date(start).toISOString(), timeZone: 'Europe/Berlin' },
    end: { dateTime: new Date(start + 1_800_000).toISOString(), timeZone: 'Europe/Berlin' },
    attendees: [{ email: 'grace@customer.example' }],
    extendedProperties: { private: { bot: 'bot-17' } },
    reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 1440 }] },
  });
}

/** Inserts events over keep-alive connections; one target is one server and calendar. */
export type Inserter = {
  /** Inserts `count` events. @returns inserts per second @throws Error on any answer but 200 */
  insert(count: number): Promise<number>;
  close(): void;
};

/**
 * Plain sockets instead of an HTTP client: a client costs more than either server, and would be
 * what is measured.
 */
export function createInserter(origin: string, calendarId: string, token: string): Inserter {
  const { hostname, port } = new URL(origin);
  const head = [
    `POST /calendar/v3/calendars/${encodeURIComponent(calendarId)}/events?sendUpdates=none HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${token}`,
    'Accept: application/json',
    'Accept-Encoding: gzip, deflate',
    'User-Agent: bench',
    'Content-Type: application/json',
    'Content-Length: ',
  ].join('\r\n');
  const lanes = Array.from({ length: CONNECTIONS }, () => createLane(hostname, Number(port)));
  let next = 0;
  return {
    async insert(count) {
      const last = next + count;
      const began = performance.now();
      await Promise.all(
        lanes.map(async (lane) => {
          while (next < last) {
            const body = eventBody(next++);
            await lane.exchange(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`);
          }
        }),
      );
      return count / ((performance.now() - began) / 1000);
    },
    close() {
      for (const lane of lanes) lane.socket.destroy();
    },
  };
}

type Lane = { socket: Socket; exchange(request: string): Promise<void> };

/** One connection: a request at a time, answers read by their Content-Length. */
function createLane(host: string, port: number): Lane {
  const socket = connect({ host, port, noDelay: true });
  socket.setEncoding('latin1');
  let received = '';
  let settle: { resolve(): void; reject(error: Error): void } | undefined;
  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1]);
    if (received.length < headEnd + 4 + length) return;
    const answer = received;
    received = '';
    if (answer.startsWith('HTTP/1.1 200 ')) settle?.resolve();
    else settle?.reject(new Error(`Insert answered ${answer.slice(0, 300)}`));
  });
  socket.on('error', (error) => settle?.reject(error));
  return {
    socket,
    exchange: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        socket.write(request);
      }),
  };
}
