import { ActivityPage, BotParams, defaultPageSize, PageQuery } from '@calhook/contract';
import { pageOfActivity } from '../activity/activity.ts';
import type { Database } from '../db/index.ts';
import type { FrontDoor } from '../http/front-door.ts';
import type { Bots } from './bots.ts';

/** `GET /api/activity/{botId}`: what happened to a bot. */
export function activityRoutes(
  app: FrontDoor,
  { database, bots }: { readonly database: Database; readonly bots: Bots },
): void {
  app.get(
    '/api/activity/:botId',
    {
      config: { scope: 'appointments:read' },
      schema: {
        tags: ['Activity'],
        summary: 'What happened to a bot, newest first',
        params: BotParams,
        querystring: PageQuery,
        response: { 200: ActivityPage },
      },
    },
    async (request) => {
      const { id } = await bots.get(request.params.botId);
      const { limit = defaultPageSize, cursor } = request.query;
      return pageOfActivity(database, id, { limit, cursor });
    },
  );
}
