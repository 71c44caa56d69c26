import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';

/**
 * One line per answered request: route pattern, bot and key by id, status and milliseconds. Never
 * the URL itself (connect links are in it), its query, headers or bodies.
 */
export function logRequests(log: Logger) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { botId } = request.params as { botId?: string };
    log.info(
      {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        botId,
        keyId: request.caller?.keyId,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 100) / 100,
      },
      'request',
    );
  };
}
