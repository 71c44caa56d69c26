import { ApiKey, ApiKeyList, CreateApiKey, CreatedApiKey } from '@calhook/contract';
import Type from 'typebox';
import { ApiError, botNotFound } from '../api-error.ts';
import { callerOf, requireKey } from '../http/callers.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { ApiKeys } from './keys.ts';

const scope = 'keys:manage';
const tags = ['API keys'];

/** `/api/keys`: manage API keys. */
export function keyRoutes(app: FrontDoor, keys: ApiKeys): void {
  app.post(
    '/api/keys',
    {
      config: { scope },
      schema: {
        tags,
        summary: 'Create an API key; the answer shows its secret this once',
        body: CreateApiKey,
        response: { 201: CreatedApiKey },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { scopes, botIds } = request.body;
      // No key makes one that may do more than itself, or may do it for longer.
      const excess = (scopes ?? ['keys:manage']).find((wanted) => !caller.scopes.has(wanted));
      if (excess) throw new ApiError('insufficient_scope', { values: { scope: excess } });
      if (caller.botIds !== null) {
        if (!botIds || botIds.some((id) => !caller.botIds?.has(id))) throw botNotFound();
      }
      const wanted = { ...request.body, scopes: scopes ?? [...caller.scopes] };
      const expiresAt = Math.min(wanted.expiresAt ?? Number.POSITIVE_INFINITY, caller.expiresAt);
      if (Number.isFinite(expiresAt)) wanted.expiresAt = expiresAt;
      return reply.code(201).send(await keys.create(wanted));
    },
  );

  app.get(
    '/api/keys',
    {
      config: { scope },
      schema: { tags, summary: 'List API keys, without secrets', response: { 200: ApiKeyList } },
    },
    async (request) => {
      const { botIds } = callerOf(request);
      const all = await keys.list();
      const apiKeys = botIds ? all.filter((key) => key.botIds?.every((id) => botIds.has(id))) : all;
      return { apiKeys };
    },
  );

  // For who is given a key and asks whether it is right, such as n8n when a credential is saved.
  app.get(
    '/api/keys/current',
    {
      schema: {
        tags,
        summary: 'The API key of this request: what it may do, and for how long',
        description: 'Any key will do.',
        security: [{ apiKey: [] }],
        response: { 200: ApiKey },
      },
    },
    async (request) => {
      const { keyId } = await requireKey(keys, request.headers.authorization);
      const key = (await keys.list()).find(({ id }) => id === keyId);
      if (!key) throw new ApiError('api_key_not_found');
      return key;
    },
  );

  app.delete(
    '/api/keys/:keyId',
    {
      config: { scope },
      schema: {
        tags,
        summary: 'Revoke an API key',
        params: Type.Object({ keyId: Type.String() }),
        response: { 204: Type.Null({ description: 'The key is revoked.' }) },
      },
    },
    async (request, reply) => {
      const { botIds } = callerOf(request);
      const { keyId } = request.params;
      const key = (await keys.list()).find((candidate) => candidate.id === keyId);
      const visible = key && (!botIds || key.botIds?.every((id) => botIds.has(id)));
      if (!visible || !(await keys.revoke(keyId))) throw new ApiError('api_key_not_found');
      return reply.code(204).send(null);
    },
  );
}
