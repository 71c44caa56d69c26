import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least that could answer the status route: `node:http`, and the same bytes for everybody. */
const body = process.argv[2] ?? '{}';
const server = createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
