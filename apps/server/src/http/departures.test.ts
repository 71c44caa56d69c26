import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { Departures } from './departures.ts';

test('an answer that leaves while the server stops ends its connection', async () => {
  const departures = new Departures(() => !server.listening);
  const server = createServer((_request, response) => {
    departures.add(response, '{"status":"connected"}');
    // Stopping begins when the request has been taken and its answer has not left yet.
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received).toMatch(/\r\nconnection: close\r\n/i);
  expect(received).toContain('{"status":"connected"}');
});
