import type { IncomingMessage, ServerResponse } from 'node:http';
import formbody from '@fastify/formbody';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawServerDefault,
} from 'fastify';
import { ApiError } from '../api-error.ts';
import type { Config } from '../config.ts';
import { newId } from '../identifiers.ts';
import type { ApiKeys } from '../keys/keys.ts';
import type { Logger } from '../logger.ts';
import { authenticate } from './callers.ts';
import { type ExpressRoute, expressLane } from './express-lane.ts';
import { handleError, sendProblem } from './problem.ts';
import { RequestLog } from './request-log.ts';
import { validatorCompiler } from './validation.ts';

/** Largest body taken, in bytes. */
const bodyLimit = 64 * 1024;
/** How long a client may take to send a whole request, in milliseconds. */
const requestTimeout = 15_000;

/** The HTTP server, as the rooms add their routes to it. */
export type FrontDoor = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Builds the HTTP server: callers, validation, errors and request log, but no routes yet. */
export async function openFrontDoor(parts: {
  readonly config: Pick<Config, 'trustProxy'>;
  readonly keys: ApiKeys;
  readonly log: Logger;
  readonly express: readonly ExpressRoute[];
  /** Clock in epoch milliseconds. */
  readonly now: () => number;
}): Promise<FrontDoor> {
  const { config, keys, log, express, now } = parts;
  const requestLog = new RequestLog(log);
  const app = fastify({
    logger: false,
    serverFactory: expressLane({ keys, log: requestLog }, express),
    bodyLimit,
    requestTimeout,
    trustProxy: config.trustProxy,
    genReqId: () => newId(now()),
    // Stopping ends idle connections at once; a booking under way is answered first.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 8_192 },
    // Malformed requests never reach a route; Node would answer them in plain text.
    clientErrorHandler(_error, socket) {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    },
    frameworkErrors: (error, request, reply) => void handleError(log)(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  // Answers are typed where they are made; a second pass over each would only cost time.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  acceptEmptyJson(app);
  await app.register(formbody, { bodyLimit });

  app.decorateRequest('caller', null);
  app.addHook('onRequest', authenticate(keys));
  app.addHook('onResponse', requestLog.onResponse);
  endConnectionsWhenClosing(app);
  app.setErrorHandler(handleError(log));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(app, request.url);
    if (allowed.length === 0) return sendProblem(reply, new ApiError('route_not_found'));
    return sendProblem(
      reply,
      new ApiError('method_not_allowed', {
        values: { method: request.method },
        headers: { allow: allowed.join(', ') },
      }),
    );
  });
  return app;
}

/** A connection whose last answer is sent while the server stops would be kept for the next request. */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onResponse', async () => {
    if (closing) setImmediate(() => app.server.closeIdleConnections());
  });
}

/** Callers such as n8n send `Content-Type: application/json` with no body where none is needed. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}

function methodsOf(app: FastifyInstance, url: string): string[] {
  return ['GET', 'POST', 'PATCH', 'DELETE'].filter(
    (method) => app.findRoute({ method, url: url.split('?')[0] ?? '' }) !== null,
  );
}
