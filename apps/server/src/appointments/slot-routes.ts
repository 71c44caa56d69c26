import { BotParams, CreateHold, Hold, Slots, SlotsQuery } from '@calhook/contract';
import Type from 'typebox';
import type { ExpressRoute } from '../http/express-lane.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { Holds } from './holds.ts';
import type { SlotAnswers } from './slot-answers.ts';
import type { SlotCache } from './slot-cache.ts';

const tags = ['Slots'];
const prefix = '/api/calendar/slots/';
const path = `${prefix}:botId`;

/** The slots route as the express lane answers it. */
export function slotLane(cache: SlotCache): ExpressRoute {
  return {
    prefix,
    route: path,
    scope: 'slots:read',
    answer: (target) => cache.peek(target),
  };
}

/** What may be booked, and holding it for a while. */
export function slotRoutes(
  app: FrontDoor,
  parts: { readonly answers: SlotAnswers; readonly cache: SlotCache; readonly holds: Holds },
): void {
  const { answers, cache, holds } = parts;

  app.get(
    path,
    {
      config: { scope: 'slots:read' },
      schema: {
        tags,
        summary: 'List the starts that may be booked',
        params: BotParams,
        querystring: SlotsQuery,
        response: { 200: Slots },
      },
    },
    async (request, reply) => {
      const { botId } = request.params;
      const text = await cache.get(request.url.slice(prefix.length), botId, () =>
        answers.slots(botId, request.query),
      );
      reply.type('application/json; charset=utf-8');
      // Rendered when it was computed; the type says what it was rendered from.
      return text as unknown as Slots;
    },
  );

  app.post(
    '/api/calendar/hold/:botId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Keep a time for a visitor for a while',
        params: BotParams,
        body: CreateHold,
        response: { 201: Hold },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await holds.hold(request.params.botId, request.body)),
  );

  app.delete(
    '/api/calendar/hold/:botId/:holdId',
    {
      config: { scope: 'appointments:write' },
      schema: {
        tags,
        summary: 'Release a hold',
        params: Type.Object({ botId: Type.String(), holdId: Type.String() }),
        response: { 204: Type.Null({ description: 'The time is free again.' }) },
      },
    },
    async (request, reply) => {
      await holds.release(request.params.botId, request.params.holdId);
      return reply.code(204).send(null);
    },
  );
}
