import type { Account } from '../directory.ts';
import { headerOf } from '../http/headers.ts';
import { html, type Reply, redirect } from '../http/reply.ts';
import type { Route, SandboxRequest } from '../http/router.ts';
import { authorizationErrorPage } from '../pages/authorization-error.ts';
import { accountChooserPage, consentPage } from '../pages/consent.ts';
import type { World } from '../world.ts';
import {
  type AuthorizationRequest,
  readAuthorizationRequest,
  redirectWith,
} from './authorization-request.ts';
import { scopeText, tickableScopes } from './scopes.ts';

const AUTH_PATH = '/o/oauth2/v2/auth';
const SESSION_COOKIE = 'google_sandbox_session';

/** The pages a person passes through: choose an account, tick scopes, continue or cancel. */
export function authorizeRoutes(world: World): Route[] {
  const { directory, grants, switches } = world;

  function issueCode(
    request: AuthorizationRequest,
    account: Account,
    scopes: readonly string[],
    consentShown: boolean,
  ): Reply {
    const grant = grants.extend(request.client.projectId, account.sub, scopes);
    const covered = request.includeGrantedScopes ? [...grant.scopes] : [...scopes];
    const code = grants.issueCode({
      clientId: request.client.clientId,
      redirectUri: request.redirectUri,
      grant,
      scopes: covered,
      givesRefreshToken: request.offline && consentShown,
      nonce: request.nonce,
      challenge: request.challenge,
    });
    return redirect(
      redirectWith(request, {
        code,
        scope: scopeText(covered),
        authuser: '0',
        prompt: consentShown ? 'consent' : 'none',
      }),
    );
  }

  /** True when the person must be asked: told to, or something asked for is not granted yet. */
  function needsConsent(request: AuthorizationRequest, account: Account): boolean {
    const grant = grants.find(request.client.projectId, account.sub);
    return (
      request.prompts.has('consent') ||
      grant === undefined ||
      request.scopes.some((scope) => !grant.scopes.has(scope))
    );
  }

  function afterAccount(request: AuthorizationRequest, account: Account): Reply {
    const reply = needsConsent(request, account)
      ? html(
          200,
          consentPage({
            action: `${AUTH_PATH}/consent`,
            request: request.original,
            appName: request.client.appName,
            testing: request.client.publishingStatus === 'testing',
            account,
            scopes: request.scopes,
            tickable: tickableScopes(request.scopes),
            startTicked: switches.consentBoxesStartTicked,
          }),
        )
      : issueCode(request, account, request.scopes, false);
    return withSession(reply, account);
  }

  function chooser(request: AuthorizationRequest): Reply {
    const hinted = hintedAccount(request);
    const others = directory.accounts().filter((account) => account !== hinted);
    return html(
      200,
      accountChooserPage({
        action: `${AUTH_PATH}/account`,
        request: request.original,
        appName: request.client.appName,
        accounts: hinted ? [hinted, ...others] : others,
        hinted: hinted?.email,
      }),
    );
  }

  function hintedAccount(request: AuthorizationRequest): Account | undefined {
    const hint = request.loginHint;
    if (hint === undefined) return undefined;
    return directory.account(hint) ?? directory.accountBySub(hint);
  }

  function start(request: AuthorizationRequest, session: Account | undefined): Reply {
    const hinted = hintedAccount(request);
    if (request.prompts.has('none')) {
      if (session === undefined) {
        return redirect(redirectWith(request, { error: 'login_required' }));
      }
      if (needsConsent(request, session)) {
        return redirect(redirectWith(request, { error: 'interaction_required' }));
      }
      return issueCode(request, session, request.scopes, false);
    }
    const settled =
      session !== undefined &&
      !request.prompts.has('select_account') &&
      (hinted === undefined || hinted === session);
    return settled ? afterAccount(request, session) : chooser(request);
  }

  function sessionOf(incoming: SandboxRequest): Account | undefined {
    const cookie = headerOf(incoming, 'cookie') ?? '';
    const sub = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;]+)`).exec(cookie)?.[1];
    return sub === undefined ? undefined : directory.accountBySub(sub);
  }

  function fromForm(
    incoming: SandboxRequest,
    proceed: (request: AuthorizationRequest, form: URLSearchParams, account: Account) => Reply,
  ): Reply {
    const form = new URLSearchParams(incoming.body);
    const request = readAuthorizationRequest(
      new URLSearchParams(form.get('request') ?? ''),
      directory,
    );
    if ('error' in request) return html(request.status, authorizationErrorPage(request));
    const account = directory.account(form.get('account') ?? '');
    return account === undefined ? chooser(request) : proceed(request, form, account);
  }

  return [
    {
      name: 'auth',
      method: 'GET',
      path: AUTH_PATH,
      handle(incoming) {
        const request = readAuthorizationRequest(
          new URLSearchParams(incoming.query.text),
          directory,
        );
        if ('error' in request) return html(request.status, authorizationErrorPage(request));
        return start(request, sessionOf(incoming));
      },
    },
    {
      name: 'auth.account',
      method: 'POST',
      path: `${AUTH_PATH}/account`,
      handle: (incoming) =>
        fromForm(incoming, (request, _form, account) => afterAccount(request, account)),
    },
    {
      name: 'auth.consent',
      method: 'POST',
      path: `${AUTH_PATH}/consent`,
      handle: (incoming) =>
        fromForm(incoming, (request, form, account) => {
          if (form.get('decision') !== 'allow') {
            return redirect(redirectWith(request, { error: 'access_denied' }));
          }
          const ticked = new Set(form.getAll('scope'));
          const tickable = new Set(tickableScopes(request.scopes));
          const granted = request.scopes.filter(
            (scope) => !tickable.has(scope) || ticked.has(scope),
          );
          return issueCode(request, account, granted, true);
        }),
    },
  ];
}

function withSession(reply: Reply, account: Account): Reply {
  const cookie = `${SESSION_COOKIE}=${account.sub}; Path=/o/oauth2; HttpOnly; SameSite=Lax`;
  return { ...reply, headers: { ...reply.headers, 'set-cookie': cookie } };
}
