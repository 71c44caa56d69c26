import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Reply } from './reply.ts';

export type Dispatcher = (response: ServerResponse, reply: Reply) => void;

/**
 * Sends answers at the end of the turn of the event loop in which they were made. Answers that
 * become ready together leave together, so a caller with several connections is woken once instead
 * of once for each of them: waking a process takes longer than making the answer.
 */
export function createDispatcher(clock: Clock): Dispatcher {
  const dateHeader = createDateHeader(clock);
  let ready: { response: ServerResponse; reply: Reply }[] = [];

  function sendAll(): void {
    const leaving = ready;
    ready = [];
    const date = dateHeader();
    for (const { response, reply } of leaving) send(response, reply, date);
  }

  return (response, reply) => {
    if (ready.push({ response, reply }) === 1) setImmediate(sendAll);
  };
}

function send(response: ServerResponse, reply: Reply, date: string): void {
  if (response.destroyed) return;
  const { body } = reply;
  const size = Buffer.byteLength(body);
  const headers: (string | number)[] = ['date', date];
  if (reply.contentType !== undefined) headers.push('content-type', reply.contentType);
  if (reply.status !== 204 && reply.status !== 304) headers.push('content-length', size);
  for (const name in reply.headers) headers.push(name, reply.headers[name] ?? '');
  response.writeHead(reply.status, headers);
  // Plain ASCII takes the shorter way through the socket.
  response.end(body, size === body.length ? 'latin1' : 'utf8');
}

/** The Date header on the sandbox clock, rendered once a second. */
function createDateHeader(clock: Clock): () => string {
  let second = Number.NaN;
  let text = '';
  return () => {
    const current = Math.floor(clock.now() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString();
    }
    return text;
  };
}
