import type { ApiKeyScope } from '@calhook/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, botNotFound } from '../api-error.ts';
import { couldBeId } from '../identifiers.ts';
import type { ApiKeys, Caller } from '../keys/keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null on routes that need no key. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** The scope that a caller's key must have; routes without one are open. */
    scope?: ApiKeyScope;
  }
}

/** What a 401 must carry (RFC 9110 §11.6.1). */
export const challenge = { 'www-authenticate': 'Bearer realm="calhook"' };

/** @throws {ApiError} `missing_api_key`, `invalid_api_key` */
export async function requireKey(
  keys: ApiKeys,
  authorization: string | undefined,
): Promise<Caller> {
  if (authorization === undefined) throw new ApiError('missing_api_key', { headers: challenge });
  const caller =
    keys.authenticateFromMemory(authorization) ?? (await keys.authenticate(authorization));
  if (!caller) throw new ApiError('invalid_api_key', { headers: challenge });
  return caller;
}

/** @throws {ApiError} `insufficient_scope` */
export function requireScope(caller: Caller, scope: ApiKeyScope): void {
  if (!caller.scopes.has(scope)) throw new ApiError('insufficient_scope', { values: { scope } });
}

/** @throws {ApiError} `missing_api_key`, `invalid_api_key`, `insufficient_scope` */
export async function requireCaller(
  keys: ApiKeys,
  authorization: string | undefined,
  scope: ApiKeyScope,
): Promise<Caller> {
  const caller = await requireKey(keys, authorization);
  requireScope(caller, scope);
  return caller;
}

/**
 * A bot that the caller's key is not limited to looks like one that does not exist.
 *
 * @throws {ApiError} `bot_not_found`
 */
export function requireBotAccess(caller: Caller, botId: string): void {
  if (!couldBeId(botId)) throw botNotFound();
  if (caller.botIds !== null && !caller.botIds.has(botId)) throw botNotFound();
}

/** Hook that lets a request through when its key may do what the route does, to the bot it names. */
export function authenticate(keys: ApiKeys) {
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    const { scope } = request.routeOptions.config;
    if (scope === undefined) return;
    request.caller = await requireCaller(keys, request.headers.authorization, scope);
    const { botId } = request.params as { botId?: string };
    if (botId !== undefined) requireBotAccess(request.caller, botId);
  };
}

/** The caller of a route that needs a key. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('callerOf() on a route that needs no key');
  return request.caller;
}
