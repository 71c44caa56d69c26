import type { Database } from '../db/index.ts';
import type { FrontDoor } from './front-door.ts';

/**
 * `/healthz`: this process answers. `/readyz`: it can do its work, that is, the database answers
 * and the key ring fits it (which is proven before the server listens).
 *
 * @param ping throws when the database does not answer
 */
export function healthRoutes(app: FrontDoor, database: Pick<Database, 'ping'>): void {
  const schema = { tags: ['Operation'] };
  app.get('/healthz', { schema: { ...schema, summary: 'The process answers' } }, async () => ({
    status: 'ok',
  }));
  app.get('/readyz', { schema: { ...schema, summary: 'It can do its work' } }, async (_, reply) => {
    try {
      await database.ping();
    } catch {
      return reply.code(503).send({ status: 'unavailable', database: 'does not answer' });
    }
    return { status: 'ready', database: 'ok' };
  });
}
