import {
  Bot,
  BotPage,
  BotParams,
  CreateBot,
  defaultPageSize,
  PageQuery,
  UpdateBot,
} from '@calhook/contract';
import Type from 'typebox';
import { botNotFound } from '../api-error.ts';
import { callerOf } from '../http/callers.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { Bots } from './bots.ts';

const scope = 'bots:manage';
const tags = ['Bots'];

/**
 * `/api/bots`: manage bots.
 *
 * @param disconnect ends the connection of a bot that is about to be deleted
 */
export function botRoutes(
  app: FrontDoor,
  bots: Bots,
  disconnect: (botId: string) => Promise<unknown>,
): void {
  app.post(
    '/api/bots',
    {
      config: { scope },
      schema: { tags, summary: 'Create a bot', body: CreateBot, response: { 201: Bot } },
    },
    async (request, reply) => {
      const { botIds } = callerOf(request);
      // A key that is limited to some bots cannot make others, not even ones named like them.
      if (botIds !== null && !botIds.has(request.body.id ?? '')) throw botNotFound();
      return reply.code(201).send(await bots.create(request.body));
    },
  );

  app.get(
    '/api/bots',
    {
      config: { scope },
      schema: { tags, summary: 'List bots', querystring: PageQuery, response: { 200: BotPage } },
    },
    async (request) => {
      const { limit = defaultPageSize, cursor } = request.query;
      return bots.list({ limit, cursor }, callerOf(request).botIds);
    },
  );

  app.get(
    '/api/bots/:botId',
    {
      config: { scope },
      schema: { tags, summary: 'Read a bot', params: BotParams, response: { 200: Bot } },
    },
    async (request) => bots.get(request.params.botId),
  );

  app.patch(
    '/api/bots/:botId',
    {
      config: { scope },
      schema: {
        tags,
        summary: 'Change a bot',
        params: BotParams,
        body: UpdateBot,
        response: { 200: Bot },
      },
    },
    async (request) => bots.update(request.params.botId, request.body),
  );

  app.delete(
    '/api/bots/:botId',
    {
      config: { scope },
      schema: {
        tags,
        summary: 'Delete a bot with its connection and appointments',
        params: BotParams,
        response: { 204: Type.Null({ description: 'The bot is gone.' }) },
      },
    },
    async (request, reply) => {
      const { botId } = request.params;
      await disconnect(botId);
      await bots.delete(botId);
      return reply.code(204).send(null);
    },
  );
}
