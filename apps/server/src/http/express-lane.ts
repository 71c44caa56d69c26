import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { ApiKeyScope } from '@calhook/contract';
import type { ApiKeys } from '../keys/keys.ts';
import { Departures } from './departures.ts';
import type { RequestLog } from './request-log.ts';

/** A route that may be answered from memory, ahead of the framework. */
export interface ExpressRoute {
  /** Path up to the bot id. */
  readonly prefix: string;
  /** Route pattern, as the request log names it. */
  readonly route: string;
  readonly scope: ApiKeyScope;
  /**
   * The bot that the rest of the URL names, and the rendered answer, in ASCII, when it is in memory.
   */
  readonly answer: (rest: string) => { readonly botId: string; readonly text: string } | undefined;
}

/**
 * Answers what is asked all the time straight from memory.
 *
 * n8n asks for the status before every booking. Answered through the framework it costs half as
 * much again as the bare HTTP exchange (bench/status), nearly all of it in routing, hooks and
 * reply objects. So a request whose key was verified before and whose answer is rendered already
 * is answered here; everything else (another route, an unknown key, a missing scope, a bot not in
 * memory) takes the usual way, which also fills the memory. The bytes are the same
 * either way, and a test holds the two together.
 *
 * @returns a server factory for Fastify
 */
export function expressLane(
  parts: { readonly keys: ApiKeys; readonly log: RequestLog },
  express: readonly ExpressRoute[],
): (handler: RequestListener, options: ServerOptions) => ReturnType<typeof createServer> {
  const { keys, log } = parts;

  const answered = (
    request: IncomingMessage,
    response: ServerResponse,
    departures: Departures,
  ): boolean => {
    const { url = '' } = request;
    if (request.method !== 'GET') return false;
    const lane = express.find(({ prefix }) => url.startsWith(prefix));
    if (!lane) return false;
    const { prefix, route, scope } = lane;
    const answer = lane.answer(url.slice(prefix.length));
    if (answer === undefined) return false;
    const { botId, text } = answer;
    const authorization = authorizationOf(request.rawHeaders);
    if (authorization === undefined) return false;
    const caller = keys.authenticateFromMemory(authorization);
    if (!caller?.scopes.has(scope)) return false;
    if (caller.botIds !== null && !caller.botIds.has(botId)) return false;
    departures.add(response, text);
    log.answered(route, botId, caller.keyId);
    return true;
  };

  return (handler, options) => {
    const departures = new Departures(() => !server.listening);
    // A request without a body then costs no stream that has to be ended.
    const server = createServer(
      { ...options, optimizeEmptyRequests: true },
      (request, response) => {
        if (!answered(request, response, departures)) handler(request, response);
      },
    );
    return server;
  };
}

/** The one header that is needed, without building the object of all of them. */
function authorizationOf(rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') return rawHeaders[i + 1];
  }
  return undefined;
}
