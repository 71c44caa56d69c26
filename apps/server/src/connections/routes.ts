import { BotParams, CalendarStatus, ConnectLink, Disconnected } from '@calhook/contract';
import Type from 'typebox';
import { botNotFound } from '../api-error.ts';
import type { Bots } from '../bots/bots.ts';
import type { CachedLookup } from '../db/index.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { Connections } from './connections.ts';
import type { Consents } from './consent.ts';

const tags = ['Calendar connection'];
interface ConnectionRouteParts {
  readonly bots: Bots;
  readonly connections: Connections;
  readonly consents: Consents;
  readonly statuses: CachedLookup<string>;
}

/** Status, connect and disconnect. */
export function connectionRoutes(app: FrontDoor, parts: ConnectionRouteParts): void {
  const { bots, connections, consents, statuses } = parts;

  app.get(
    '/api/calendar/status/:botId',
    {
      config: { scope: 'status:read' },
      schema: {
        tags,
        summary: 'Whether the bot can be booked with; ask before booking',
        params: BotParams,
        response: { 200: CalendarStatus },
      },
    },
    async (request, reply) => {
      const answer = await statuses.get(request.params.botId);
      if (answer === undefined) throw botNotFound();
      reply.type('application/json; charset=utf-8');
      // Rendered when it was looked up; the type says what it was rendered from.
      return answer as unknown as CalendarStatus;
    },
  );

  app.post(
    '/api/calendar/connect/:botId',
    {
      config: { scope: 'connections:manage' },
      schema: {
        tags,
        summary: 'Make a one-time link with which the owner connects a calendar',
        params: BotParams,
        response: { 200: ConnectLink },
      },
    },
    async (request) => consents.createLink(request.params.botId),
  );

  app.delete(
    '/api/calendar/connect/:botId',
    {
      config: { scope: 'connections:manage' },
      schema: {
        tags,
        summary: 'End all connect links of the bot that are still open',
        params: BotParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await consents.revokeLinks(request.params.botId);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/api/calendar/disconnect/:botId',
    {
      config: { scope: 'connections:manage' },
      schema: {
        tags,
        summary: 'Revoke the grant and forget it',
        params: BotParams,
        response: { 200: Disconnected },
      },
    },
    async (request) => {
      const { id } = await bots.get(request.params.botId);
      await connections.disconnect(id);
      return { success: true as const, connected: false as const };
    },
  );
}
