import { Problem } from '@calhook/contract';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { errorsPage } from './errors-page.ts';
import type { FrontDoor } from './front-door.ts';
import { sendPage } from './pages.ts';

/** A response in the media type of RFC 9457, in the form that @fastify/swagger takes. */
function problem(description: string) {
  return { description, content: { 'application/problem+json': { schema: Problem } } };
}

/** A description that ends with the scope which the route asks for. */
function withScope(description: unknown, scope: string): string {
  const line = `Scope: \`${scope}\``;
  return typeof description === 'string' ? `${description}\n\n${line}` : line;
}

/** Serves the API's description: `/openapi.json` for programs, `/docs` for people. */
export async function describeApi(app: FrontDoor, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Calhook',
        version,
        description:
          'One calendar gateway for all your bots: books into the right Google Calendar by botId alone.',
      },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: chk_…' },
        },
      },
    },
    // A route with a scope needs a key, and every route may answer with a problem.
    transform: ({ schema, url, route }) => {
      const { scope } = (route.config ?? {}) as { scope?: string };
      return {
        url,
        schema: {
          ...schema,
          ...(scope ? { security: [{ apiKey: [] }] } : {}),
          ...(scope ? { description: withScope(schema?.description, scope) } : {}),
          response: {
            ...(schema?.response as object | undefined),
            '4xx': problem('A refusal, see /docs/errors'),
            '5xx': problem('A failure, see /docs/errors'),
          },
        },
      };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    theme: { title: 'Calhook API' },
    // Without the bar that asks for the address of another API.
    uiConfig: { layout: 'BaseLayout' },
  });

  // People who open the bare address; until there is a Bot Builder, the API is what there is to see.
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'));

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  app.get('/docs/errors', { schema: { hide: true } }, async (_request, reply) =>
    sendPage(reply, errorsPage()),
  );
}
