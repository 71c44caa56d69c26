import type { Client, Directory } from '../directory.ts';
import { isKnownScope, parseScopes } from './scopes.ts';

/** An authorization request that may be shown to a person. */
export type AuthorizationRequest = {
  client: Client;
  redirectUri: string;
  scopes: string[];
  /** Returned byte for byte; undefined when the request had none. */
  state: string | undefined;
  offline: boolean;
  prompts: ReadonlySet<string>;
  loginHint: string | undefined;
  includeGrantedScopes: boolean;
  nonce: string | undefined;
  challenge: { value: string; method: 'plain' | 'S256' } | undefined;
  /** The query as it came, to carry it through the pages. */
  original: string;
};

/** Shown to the person as a page; the application never hears of it (facts §1 "Callback"). */
export type AuthorizationRefusal = { status: 400 | 401; error: string; detail: string };

const PROMPTS = new Set(['none', 'consent', 'select_account']);

/** Reads an authorization request the way Google's front page does (facts §1, checks 1–4). */
export function readAuthorizationRequest(
  query: URLSearchParams,
  directory: Directory,
): AuthorizationRequest | AuthorizationRefusal {
  const repeated = [...query.keys()].find((name, index, all) => all.indexOf(name) !== index);
  if (repeated !== undefined) {
    return invalid(`OAuth 2 parameters can only have a single value: ${repeated}`);
  }
  const clientId = query.get('client_id') ?? '';
  if (clientId === '') return invalid('Missing required parameter: client_id');
  const client = directory.client(clientId);
  if (client === undefined) {
    return { status: 401, error: 'invalid_client', detail: 'The OAuth client was not found.' };
  }
  const redirectUri = query.get('redirect_uri') ?? '';
  if (redirectUri === '') return invalid('Missing required parameter: redirect_uri');
  if (!client.redirectUris.includes(redirectUri)) {
    return {
      status: 400,
      error: 'redirect_uri_mismatch',
      detail: `The redirect URI in the request, ${redirectUri}, does not match the ones authorized for the OAuth client.`,
    };
  }
  const responseType = query.get('response_type') ?? '';
  if (responseType === '') return invalid('Missing required parameter: response_type');
  if (responseType !== 'code') return invalid(`Invalid response_type: ${responseType}`);
  const scopes = parseScopes(query.get('scope') ?? '');
  if (scopes.length === 0) return invalid('Missing required parameter: scope');
  const unknown = scopes.filter((scope) => !isKnownScope(scope));
  if (unknown.length > 0) {
    return {
      status: 400,
      error: 'invalid_scope',
      detail: `Some requested scopes were invalid. {invalid=[${unknown.join(', ')}]}`,
    };
  }
  const accessType = query.get('access_type') ?? 'online';
  if (accessType !== 'online' && accessType !== 'offline') {
    return invalid(`Invalid parameter value for access_type: '${accessType}' is not a valid value`);
  }
  const prompts = new Set((query.get('prompt') ?? '').split(' ').filter((word) => word !== ''));
  const odd = [...prompts].find((word) => !PROMPTS.has(word));
  if (odd !== undefined) return invalid(`Invalid parameter value for prompt: '${odd}'`);
  if (prompts.has('none') && prompts.size > 1) {
    return invalid('Invalid parameter value for prompt: none cannot be combined');
  }
  const challenge = readChallenge(query);
  if (challenge === 'bad') return invalid('Invalid parameter value for code_challenge_method');
  return {
    client,
    redirectUri,
    scopes,
    state: query.get('state') ?? undefined,
    offline: accessType === 'offline',
    prompts,
    loginHint: query.get('login_hint') ?? undefined,
    includeGrantedScopes: query.get('include_granted_scopes') === 'true',
    nonce: query.get('nonce') ?? undefined,
    challenge,
    original: query.toString(),
  };
}

function readChallenge(query: URLSearchParams): AuthorizationRequest['challenge'] | 'bad' {
  const value = query.get('code_challenge');
  const method = query.get('code_challenge_method');
  if (value === null) return method === null ? undefined : 'bad';
  if (method === null || method === 'plain') return { value, method: 'plain' };
  return method === 'S256' ? { value, method } : 'bad';
}

function invalid(detail: string): AuthorizationRefusal {
  return { status: 400, error: 'invalid_request', detail };
}

/** The redirect URI with answer parameters added, keeping a query it already has. */
export function redirectWith(
  request: AuthorizationRequest,
  answer: Record<string, string>,
): string {
  const parameters = new URLSearchParams(answer);
  if (request.state !== undefined) parameters.set('state', request.state);
  const joint = request.redirectUri.includes('?') ? '&' : '?';
  return `${request.redirectUri}${joint}${parameters}`;
}
