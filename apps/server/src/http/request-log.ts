import type { FastifyReply, FastifyRequest } from 'fastify';
import pino from 'pino';
import type { Logger } from '../logger.ts';

/**
 * One line per answered request: route pattern, bot and key by id, status and milliseconds. Never
 * the URL itself (connect links are in it), its query, headers or bodies.
 */
export class RequestLog {
  readonly #log: Logger;
  readonly #enabled: boolean;
  readonly #stream: pino.DestinationStream;

  constructor(log: Logger) {
    this.#log = log;
    this.#enabled = log.isLevelEnabled('info');
    this.#stream = (log as unknown as Record<symbol, pino.DestinationStream>)[
      pino.symbols.streamSym
    ] as pino.DestinationStream;
  }

  /** A request that went through the framework. */
  readonly onResponse = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!this.#enabled) return;
    const { botId } = request.params as { botId?: string };
    this.#log.info(
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

  /**
   * A request that was answered from memory. The line is put together here, as pino would, since
   * its redaction and serializers cost more than the answer; nothing in it needs either: bot and
   * key are ids that were found in the database.
   */
  answered(route: string, botId: string, keyId: string): void {
    if (!this.#enabled) return;
    this.#stream.write(
      `{"level":30,"time":${Date.now()},"method":"GET","route":"${route}","botId":"${botId}","keyId":"${keyId}","status":200,"msg":"request"}\n`,
    );
  }
}
