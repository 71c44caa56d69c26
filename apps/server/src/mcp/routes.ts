import type { FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.ts';
import { callerOf, requireKey } from '../http/callers.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { ApiKeys } from '../keys/keys.ts';
import type { Logger } from '../logger.ts';
import type { McpCall } from './server.ts';
import type { ToolParts } from './tools.ts';

const path = '/mcp';
/** What the protocol looks at. */
const readHeaders = ['accept', 'content-type', 'mcp-protocol-version'] as const;

interface McpParts extends ToolParts {
  readonly keys: ApiKeys;
  readonly publicUrl: string;
  readonly log: Logger;
}

/**
 * `POST /mcp`: the tools for agents, over streamable HTTP without sessions. `GET` and `DELETE`,
 * which are for sessions, are answered by 405, as the protocol allows.
 */
export function mcpRoutes(app: FrontDoor, parts: McpParts): void {
  const { keys, publicUrl } = parts;
  const url = `${publicUrl}${path}`;
  const { origin: ownOrigin } = new URL(publicUrl);
  let answerer: Promise<(call: McpCall) => Promise<Response>> | undefined;
  // The SDK is loaded with the first call: most servers never see one.
  const load = async () => (await import('./server.ts')).messageAnswerer(parts);

  app.post(
    path,
    {
      schema: { hide: true },
      onRequest: async (request) => {
        requireOwnOrigin(request, ownOrigin);
        request.caller = await requireKey(keys, request.headers.authorization);
      },
    },
    async (request, reply) => {
      if (Array.isArray(request.body)) {
        // The protocol has given batches up; a cancelled message in one would never be answered.
        throw new ApiError('invalid_request', { values: { reason: 'it is a batch of messages' } });
      }
      answerer ??= load();
      const answer = await answerer;
      const response = await answer({
        id: request.id,
        url,
        headers: headersOf(request),
        message: request.body,
        caller: callerOf(request),
      });
      return reply
        .code(response.status)
        .type(response.headers.get('content-type') ?? 'text/plain')
        .send(await response.text());
    },
  );
}

/**
 * Pages of other origins are refused, as the protocol asks of servers: a page that had its name
 * resolve to this machine could otherwise speak to it from inside.
 *
 * @throws {ApiError} `origin_not_allowed`
 */
function requireOwnOrigin({ headers: { origin } }: FastifyRequest, ownOrigin: string): void {
  if (origin !== undefined && origin !== ownOrigin) throw new ApiError('origin_not_allowed');
}

function headersOf({ headers }: FastifyRequest): Headers {
  const read = new Headers();
  for (const name of readHeaders) {
    const value = headers[name];
    if (typeof value === 'string') read.set(name, value);
  }
  return read;
}
