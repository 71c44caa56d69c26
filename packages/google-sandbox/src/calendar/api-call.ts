import type { Account } from '../directory.ts';
import { headerOf } from '../http/headers.ts';
import type { Query } from '../http/query.ts';
import { json, type Reply } from '../http/reply.ts';
import type { Route, SandboxRequest } from '../http/router.ts';
import type { AccessToken } from '../oauth/grants.ts';
import { BEARER_CHALLENGE, bearerIn } from '../oauth/identity.ts';
import type { World } from '../world.ts';
import { ApiError, errorBody } from './errors.ts';
import { METHODS, type MethodName } from './methods.ts';
import { selectFields } from './partial-response.ts';
import { type Reach, reachOf } from './scope-reach.ts';

const SCOPE_PREFIX = 'https://www.googleapis.com/auth/';

/** A Calendar request that passed the front end: known caller, sufficient scope, within limits. */
export type ApiCall = {
  account: Account;
  token: AccessToken;
  reach: Reach;
  params: Readonly<Record<string, string>>;
  query: Query;
  rawHeaders: SandboxRequest['rawHeaders'];
  /** The JSON body. @throws ApiError parseError */
  body(): Record<string, unknown>;
};

type MethodHandler = (call: ApiCall) => Reply;

/** The route of a method: authentication, scopes and error envelopes around its handler. */
export function methodRoute(world: World, name: MethodName, handler: MethodHandler): Route {
  const row = METHODS[name];
  const accepted = row.scopes.map((scope) => SCOPE_PREFIX + scope);

  /** Worked out once per token, whose scopes never change. */
  const reaches = new WeakMap<AccessToken, Reach>();
  function reachWith(token: AccessToken): Reach | undefined {
    const known = reaches.get(token);
    if (known !== undefined) return known;
    const usable = accepted.filter((scope) => token.scopes.has(scope));
    if (usable.length === 0) return undefined;
    const reach = reachOf(usable);
    reaches.set(token, reach);
    return reach;
  }

  function authorised(request: SandboxRequest): ApiCall {
    const authorization = headerOf(request, 'authorization');
    if (authorization === undefined) {
      throw new ApiError('loginRequired', {
        headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' },
      });
    }
    const token = world.grants.accessToken(bearerIn(authorization));
    const account = token && world.directory.accountBySub(token.grant.sub);
    if (token === undefined || account === undefined) {
      throw new ApiError('authError', { headers: { 'www-authenticate': BEARER_CHALLENGE } });
    }
    const reach = reachWith(token);
    if (reach === undefined) throw insufficientScope(row.rpc, accepted);
    world.limits.countRequest(token.grant.projectId, account.email);
    return {
      account,
      token,
      reach,
      params: request.params,
      query: request.query,
      rawHeaders: request.rawHeaders,
      body: () => parseBody(request.body),
    };
  }

  return {
    name,
    method: row.verb,
    path: row.path,
    handle(request) {
      try {
        return partial(handler(authorised(request)), request.query.get('fields'));
      } catch (error) {
        if (error instanceof ApiError) return errorReply(error);
        throw error;
      }
    },
  };
}

/** Cuts a JSON answer down to what the `fields` parameter names. @throws ApiError invalid */
function partial(reply: Reply, fields: string | null): Reply {
  if (fields === null || reply.body === '') return reply;
  return { ...reply, body: JSON.stringify(selectFields(JSON.parse(reply.body), fields)) };
}

function errorReply(error: ApiError): Reply {
  const { http, body } = errorBody(error.catalogueName, error.overrides);
  return json(http, body, error.overrides.headers);
}

function insufficientScope(rpc: string, accepted: string[]): ApiError {
  return new ApiError('insufficientPermissions', {
    headers: {
      'www-authenticate': `Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="${accepted.join(' ')}"`,
    },
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
        domain: 'googleapis.com',
        metadata: { service: 'calendar-json.googleapis.com', method: rpc },
      },
    ],
  });
}

function parseBody(text: string): Record<string, unknown> {
  if (text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ApiError('parseError');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ApiError('parseError');
  }
  return parsed as Record<string, unknown>;
}
