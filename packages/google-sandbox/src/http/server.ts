import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import type { FaultRegistry } from '../faults.ts';
import { type LoggedRequest, queryAsObject, type RequestLog, remember } from '../request-log.ts';
import type { Switches } from '../switches.ts';
import { createFaultPlayer } from './fault-player.ts';
import { internalError, notFoundPage, tooLargePage } from './infrastructure-errors.ts';
import type { Answer, Reply } from './reply.ts';
import type { Router, SandboxRequest } from './router.ts';

/** Bodies above this are refused with 413, as Google's front end does with oversized requests. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;

/** What every HTTP request passes through: the log, faults, the router, the clock's Date header. */
type FrontDoor = {
  router: Router;
  clock: Clock;
  faults: FaultRegistry;
  requests: RequestLog;
  switches: Switches;
};

export type RunningServer = { url: string; close(): Promise<void> };

/**
 * Listens on `host:port` (0 = any free port).
 * @throws Error of node:net, e.g. EADDRINUSE
 */
export async function listen(
  host: string,
  port: number,
  frontDoor: FrontDoor,
): Promise<RunningServer> {
  const player = createFaultPlayer(frontDoor.clock);
  const dateHeader = createDateHeader(frontDoor.clock);
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    response.sendDate = false;
    collectBody(request, (body) => {
      void answerRequest(request, response, body);
    });
  });

  async function answerRequest(
    incoming: IncomingMessage,
    response: ServerResponse,
    body: Buffer | undefined,
  ): Promise<void> {
    const { path, query } = splitTarget(incoming.url ?? '/');
    const method = incoming.method ?? 'GET';
    const match = frontDoor.router(method, path);
    const route = match.kind === 'found' ? match.route : undefined;
    const name = route?.name ?? 'unknown';
    const isAdmin = name.startsWith('sandbox.');
    const entry: LoggedRequest = {
      at: frontDoor.clock.now(),
      method,
      path,
      route: name,
      headers: incoming.headers,
      query: queryAsObject(query),
      status: 0,
      body: body === undefined ? undefined : bodyForLog(incoming.headers['content-type'], body),
    };
    if (!isAdmin) remember(frontDoor.requests, entry, frontDoor.switches.requestLogSize);

    const work = async (): Promise<Answer> => {
      if (body === undefined) return tooLargePage();
      if (route === undefined || match.kind !== 'found') return notFoundPage(path);
      const request: SandboxRequest = {
        method,
        path,
        params: match.params,
        query,
        headers: incoming.headers,
        body,
      };
      try {
        return await route.handle(request);
      } catch (error) {
        return internalError(error);
      }
    };
    const deliver = (answer: Answer): void => {
      entry.status = answer.status;
      if ('stream' in answer) answer.stream(response);
      else send(response, answer, dateHeader());
    };

    const fault = isAdmin ? undefined : frontDoor.faults.take(name);
    if (fault === undefined) deliver(await work());
    else await player.play(fault, { path, incoming, response, work, deliver });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { url: urlOf(server), close: () => closeServer(server, player.close) };
}

function closeServer(server: Server, stopFaults: () => void): Promise<void> {
  stopFaults();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Reads the whole body; undefined when it is over the limit. */
function collectBody(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => {
    if (size > BODY_LIMIT_BYTES) done(undefined);
    else done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  });
}

const NO_QUERY = new URLSearchParams();

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: NO_QUERY };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

function bodyForLog(contentType: string | undefined, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const text = body.toString('utf8');
  if (contentType?.includes('application/x-www-form-urlencoded')) {
    return queryAsObject(new URLSearchParams(text));
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch {
    return text;
  }
}

function send(response: ServerResponse, reply: Reply, date: string): void {
  if (response.destroyed) return;
  const headers: Record<string, string | number> = { ...reply.headers, date };
  if (reply.contentType !== undefined) headers['content-type'] = reply.contentType;
  if (reply.status !== 204 && reply.status !== 304) {
    headers['content-length'] = Buffer.byteLength(reply.body);
  }
  response.writeHead(reply.status, headers);
  response.end(reply.body);
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
