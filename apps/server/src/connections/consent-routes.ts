import cookie from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { FrontDoor } from '../http/front-door.ts';
import { sendPage } from '../http/pages.ts';
import type { Consents } from './consent.ts';
import { ConsentError } from './consent-error.ts';
import type { ConsentSteps } from './consent-steps.ts';
import {
  connectedPage,
  connectPage,
  disconnectedPage,
  faultPage,
  keptPage,
  questionPage,
  reconnectPage,
} from './pages.ts';

/** Binds a consent to the browser that started it: `<secret>.<link token>`. */
const cookieName = 'calhook_consent';
const cookieLifetimeSeconds = 30 * 60;

interface ConsentRouteParts {
  readonly consents: Consents;
  readonly steps: ConsentSteps;
  readonly publicUrl: string;
  /** Origin of Google's consent page, which the form of the connect page leads to. */
  readonly consentOrigin: string;
}

function readCookie(request: FastifyRequest): { secret: string | null; token: string | null } {
  const [secret, token] = (request.cookies[cookieName] ?? '').split('.');
  return { secret: secret || null, token: token && /^[\w-]{43}$/.test(token) ? token : null };
}

/** The pages of a consent: links, Google's redirect back, and what an owner may say after it. */
export async function consentRoutes(app: FrontDoor, parts: ConsentRouteParts): Promise<void> {
  const { consents, steps, publicUrl, consentOrigin } = parts;
  await app.register(cookie);

  const schema = { hide: true, params: Type.Object({ token: Type.String() }) };

  const showFault = (reply: FastifyReply, error: unknown, token: string | null): FastifyReply => {
    if (!(error instanceof ConsentError)) throw error;
    return sendPage(reply, faultPage(error.fault, token && `${publicUrl}/connect/${token}`));
  };
  /** Keeps the browser's secret, and the link that it may try again. */
  const setCookie = (reply: FastifyReply, secret: string, token: string): FastifyReply =>
    reply.setCookie(cookieName, `${secret}.${token}`, {
      httpOnly: true,
      sameSite: 'lax',
      secure: publicUrl.startsWith('https:'),
      path: '/',
      maxAge: cookieLifetimeSeconds,
    });
  const clearCookie = (reply: FastifyReply) => reply.clearCookie(cookieName, { path: '/' });
  const redirect = (reply: FastifyReply, url: string): FastifyReply =>
    reply.header('referrer-policy', 'no-referrer').redirect(url, 303);

  app.get('/connect/:token', { schema }, async (request, reply) => {
    try {
      const bot = await consents.botOfLink(request.params.token);
      return sendPage(reply, connectPage(bot, consentOrigin));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/connect/:token', { schema }, async (request, reply) => {
    const { token } = request.params;
    try {
      const { url, cookie } = await consents.start(token, readCookie(request).secret);
      return redirect(setCookie(reply, cookie, token), url);
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.get('/reconnect/:token', { schema }, async (request, reply) => {
    try {
      const { bot, email } = await consents.reconnectTarget(request.params.token);
      return sendPage(reply, reconnectPage(bot, email, consentOrigin));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/reconnect/:token', { schema }, async (request, reply) => {
    try {
      const { secret } = readCookie(request);
      const { url, cookie, token } = await consents.startReconnect(request.params.token, secret);
      return redirect(setCookie(reply, cookie, token), url);
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  // Not for HEAD: an answer of Google works once, and who asks for no page must not use it up.
  const once = { schema: { hide: true }, exposeHeadRoute: false };
  app.get('/oauth/google/callback', once, async (request, reply) => {
    const { secret, token } = readCookie(request);
    try {
      const query = request.url.split(/\?(.*)/s)[1] ?? '';
      const finished = await consents.finish(query, secret);
      // A page of its own, so that it can be loaded again: Google's answer works only once.
      if (finished.outcome === 'ask') return redirect(reply, `/connect/replace/${finished.token}`);
      clearCookie(reply);
      return sendPage(reply, connectedPage(finished.bot, finished.email, finished.undo));
    } catch (error) {
      return showFault(reply, error, token);
    }
  });

  app.get('/connect/replace/:token', { schema }, async (request, reply) => {
    const { token } = request.params;
    try {
      const question = await steps.question(token, readCookie(request).secret);
      return sendPage(reply, questionPage(question, token));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/connect/replace/:token', { schema }, async (request, reply) => {
    try {
      const { secret } = readCookie(request);
      const { bot, email, undo } = await steps.replace(request.params.token, secret);
      clearCookie(reply);
      return sendPage(reply, connectedPage(bot, email, undo));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/connect/keep/:token', { schema }, async (request, reply) => {
    try {
      const question = await steps.decline(request.params.token, readCookie(request).secret);
      clearCookie(reply);
      return sendPage(reply, keptPage(question));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });

  app.post('/connect/undo/:token', { schema }, async (request, reply) => {
    try {
      return sendPage(reply, disconnectedPage(await steps.undo(request.params.token)));
    } catch (error) {
      return showFault(reply, error, null);
    }
  });
}
