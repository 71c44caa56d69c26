import { BotParams, CalendarStatus, ConnectLink, Disconnected } from '@calhook/contract';
import cookie from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { botNotFound } from '../api-error.ts';
import type { Bots } from '../bots/bots.ts';
import type { CachedLookup } from '../db/index.ts';
import type { FrontDoor } from '../http/front-door.ts';
import { sendPage } from '../http/pages.ts';
import type { Connections } from './connections.ts';
import { ConsentError, type Consents } from './consent.ts';
import { connectedPage, connectPage, faultPage } from './pages.ts';

const tags = ['Calendar connection'];
/** Binds a consent to the browser that started it: `<secret>.<link token>`. */
const cookieName = 'calhook_consent';
const cookieLifetimeSeconds = 30 * 60;

interface ConnectionRouteParts {
  readonly bots: Bots;
  readonly connections: Connections;
  readonly consents: Consents;
  readonly statuses: CachedLookup<string>;
}

interface ConsentRouteParts {
  readonly consents: Consents;
  readonly publicUrl: string;
  /** Origin of Google's consent page, which the form of the connect page leads to. */
  readonly consentOrigin: string;
}

function readCookie(request: FastifyRequest): { secret: string | null; token: string | null } {
  const [secret, token] = (request.cookies[cookieName] ?? '').split('.');
  return { secret: secret || null, token: token && /^[\w-]{43}$/.test(token) ? token : null };
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

/** The pages of a consent: the connect link, and Google's redirect back. */
export async function consentRoutes(app: FrontDoor, parts: ConsentRouteParts): Promise<void> {
  const { consents, publicUrl, consentOrigin } = parts;
  await app.register(cookie);

  const linkParams = Type.Object({ token: Type.String() });
  const hide = true;

  const showFault = (reply: FastifyReply, error: unknown, token: string | null): FastifyReply => {
    if (!(error instanceof ConsentError)) throw error;
    return sendPage(reply, faultPage(error.fault, token && `${publicUrl}/connect/${token}`));
  };

  app.get('/connect/:token', { schema: { hide, params: linkParams } }, async (request, reply) => {
    try {
      const bot = await consents.botOfLink(request.params.token);
      return sendPage(reply, connectPage(bot, consentOrigin));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/connect/:token', { schema: { hide, params: linkParams } }, async (request, reply) => {
    const { token } = request.params;
    try {
      const { url, cookie } = await consents.start(token, readCookie(request).secret);
      reply.setCookie(cookieName, `${cookie}.${token}`, {
        httpOnly: true,
        sameSite: 'lax',
        secure: publicUrl.startsWith('https:'),
        path: '/',
        maxAge: cookieLifetimeSeconds,
      });
      return reply.header('referrer-policy', 'no-referrer').redirect(url, 303);
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.get('/oauth/google/callback', { schema: { hide } }, async (request, reply) => {
    const { secret, token } = readCookie(request);
    try {
      const query = request.url.split(/\?(.*)/s)[1] ?? '';
      const { bot, email } = await consents.finish(query, secret);
      reply.clearCookie(cookieName, { path: '/' });
      return sendPage(reply, connectedPage(bot, email));
    } catch (error) {
      return showFault(reply, error, token);
    }
  });
}
