import Type from 'typebox';
import type { Database } from '../db/index.ts';
import type { FrontDoor } from './front-door.ts';

const Health = Type.Object({ status: Type.Literal('ok') });
const Ready = Type.Object({ status: Type.Literal('ready'), database: Type.Literal('ok') });
const NotReady = Type.Object({ status: Type.Literal('unavailable'), database: Type.String() });

/**
 * `/healthz`: this process answers. `/readyz`: it can do its work, that is, the database answers
 * and the key ring fits it (which is proven before the server listens).
 *
 * @param ping throws when the database does not answer
 */
export function healthRoutes(app: FrontDoor, database: Pick<Database, 'ping'>): void {
  const tags = ['Operation'];
  const health = { tags, summary: 'The process answers', response: { 200: Health } };
  app.get('/healthz', { schema: health }, async () => ({ status: 'ok' as const }));
  const ready = { tags, summary: 'It can do its work', response: { 200: Ready, 503: NotReady } };
  app.get('/readyz', { schema: ready }, async (_, reply) => {
    try {
      await database.ping();
    } catch {
      return reply.code(503).send({ status: 'unavailable' as const, database: 'does not answer' });
    }
    return { status: 'ready' as const, database: 'ok' as const };
  });
}
