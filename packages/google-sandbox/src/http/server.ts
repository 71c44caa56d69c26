import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import type { FaultRegistry } from '../faults.ts';
import { ArrivedRequest, type RequestLog, remember } from '../request-log.ts';
import type { Switches } from '../switches.ts';
import { createDispatcher } from './dispatcher.ts';
import { createFaultPlayer } from './fault-player.ts';
import { createHeaderKeeper } from './headers.ts';
import { internalError, notFoundPage, tooLargePage } from './infrastructure-errors.ts';
import type { Answer } from './reply.ts';
import type { Router } from './router.ts';
import { createTargetReader } from './target.ts';

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
  const dispatch = createDispatcher(frontDoor.clock);
  const readTarget = createTargetReader();
  const keepHeaders = createHeaderKeeper();
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    response.sendDate = false;
    collectBody(request, (body) => {
      answerRequest(request, response, body);
    });
  });

  function answerRequest(
    incoming: IncomingMessage,
    response: ServerResponse,
    body: string | undefined,
  ): void {
    const { path, query } = readTarget(incoming.url ?? '/');
    const { method = 'GET' } = incoming;
    const match = frontDoor.router(method, path);
    const route = match.kind === 'found' ? match.route : undefined;
    const name = route?.name ?? 'unknown';
    const rawHeaders = keepHeaders(name, incoming.rawHeaders);
    const isAdmin = name.startsWith('sandbox.');
    const entry = new ArrivedRequest(
      frontDoor.clock.now(),
      name,
      { method, path, rawHeaders, query },
      body,
    );
    if (!isAdmin) remember(frontDoor.requests, entry, frontDoor.switches.requestLogSize);

    // Most routes answer at once; only those that wait hand out a promise.
    const work = (): Answer | Promise<Answer> => {
      if (body === undefined) return tooLargePage();
      if (route === undefined || match.kind !== 'found') return notFoundPage(path);
      const { params } = match;
      try {
        const answer = route.handle({ method, path, params, query, rawHeaders, body });
        return answer instanceof Promise ? answer.catch(internalError) : answer;
      } catch (error) {
        return internalError(error);
      }
    };
    const deliver = (answer: Answer): void => {
      entry.status = answer.status;
      if ('stream' in answer) answer.stream(response);
      else dispatch(response, answer);
    };

    const fault = isAdmin ? undefined : frontDoor.faults.take(name);
    if (fault !== undefined) {
      void player.play(fault, {
        path,
        incoming,
        response,
        work: async () => work(),
        deliver,
      });
      return;
    }
    const answer = work();
    if (answer instanceof Promise) void answer.then(deliver);
    else deliver(answer);
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
function collectBody(request: IncomingMessage, done: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  });
  request.on('end', () => {
    if (size > BODY_LIMIT_BYTES) done(undefined);
    else
      done((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8'));
  });
}
