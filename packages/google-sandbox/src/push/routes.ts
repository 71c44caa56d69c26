import { type ApiCall, methodRoute } from '../calendar/api-call.ts';
import { ApiError } from '../calendar/errors.ts';
import { optional, text } from '../calendar/field-readers.ts';
import { withinReach } from '../calendar/scope-reach.ts';
import { empty, json } from '../http/reply.ts';
import type { Route } from '../http/router.ts';
import type { World } from '../world.ts';
import { resourceIdOf } from './channels.ts';

const CHANNEL_ID = /^[A-Za-z0-9\-_+/=]{1,64}$/;
const LONGEST_TOKEN = 256;

/** events.watch and channels.stop (facts §3, checks 67–68). */
export function pushRoutes(world: World): Route[] {
  const { channels, clock, switches, directory } = world;

  /** A public HTTPS address; plain HTTP on the loopback only behind its switch. */
  function assertAddress(address: string): void {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    const isLoopback =
      url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
    if (url?.protocol === 'https:' || (isLoopback && switches.pushToLoopback)) return;
    throw new ApiError('pushAddressNotSecure', {
      message: `WebHook callback must be HTTPS: ${address.slice(0, 200)}`,
    });
  }

  function expirationOf(body: Record<string, unknown>): number {
    const now = clock.now();
    const given = body.expiration ?? undefined;
    const asked = given === undefined ? now + switches.pushDefaultLifeMs : Number(given);
    if (!Number.isSafeInteger(asked) || asked <= now) {
      throw new ApiError('invalid', { message: 'Invalid value for field: expiration' });
    }
    return Math.min(asked, now + switches.pushMaxLifeMs);
  }

  function watch(call: ApiCall) {
    const { calendar } = withinReach(
      world.calendars.require(call.account, call.params.calendarId ?? '', 'freeBusyReader'),
      call.reach,
    );
    const body = call.body();
    const id = optional(body, 'id', text, 'channel') ?? '';
    if (!CHANNEL_ID.test(id)) {
      throw new ApiError('invalid', { message: 'Invalid channel id.' });
    }
    const type = optional(body, 'type', text, 'channel') ?? '';
    if (type !== 'web_hook' && type !== 'webhook') {
      throw new ApiError('invalid', { message: `Unknown channel type: '${type.slice(0, 100)}'` });
    }
    const address = optional(body, 'address', text, 'channel') ?? '';
    assertAddress(address);
    const token = optional(body, 'token', text, 'channel');
    if (token !== undefined && token.length > LONGEST_TOKEN) {
      throw new ApiError('invalid', { message: 'Channel token is too long.' });
    }
    const resourceId = resourceIdOf(calendar.id);
    const resourceUri = `${world.endpoints.apiUrl}/calendar/v3/calendars/${encodeURIComponent(calendar.id)}/events?alt=json`;
    const expiration = expirationOf(body);
    const isNew = channels.open({
      id,
      projectId: call.token.grant.projectId,
      clientId: call.token.clientId,
      grant: call.token.grant,
      calendarId: calendar.id,
      resourceId,
      resourceUri,
      address,
      token,
      expiration,
    });
    if (!isNew) {
      throw new ApiError('channelIdNotUnique', { message: `Channel id ${id} not unique` });
    }
    return json(200, {
      kind: 'api#channel',
      id,
      resourceId,
      resourceUri,
      ...(token === undefined ? {} : { token }),
      expiration: String(expiration),
    });
  }

  return [
    methodRoute(world, 'events.watch', watch),
    methodRoute(world, 'channels.stop', (call) => {
      const body = call.body();
      const id = optional(body, 'id', text, 'channel') ?? '';
      const resourceId = optional(body, 'resourceId', text, 'channel') ?? '';
      if (!channels.stop(id, resourceId, call.token.grant, call.token.clientId)) {
        const project = directory.client(call.token.clientId)?.projectId ?? '';
        throw new ApiError('notFound', {
          message: `Channel '${id.slice(0, 64)}' not found for project '${project}'`,
        });
      }
      return empty(204);
    }),
  ];
}
