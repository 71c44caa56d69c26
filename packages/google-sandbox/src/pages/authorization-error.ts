import type { AuthorizationRefusal } from '../oauth/authorization-request.ts';
import { escapeHtml, page } from './layout.ts';

/** The page a person sees when the application's request is wrong; the application hears nothing. */
export function authorizationErrorPage(refusal: AuthorizationRefusal): string {
  return page(
    'Access blocked',
    `<main><div class="card narrow"><h1>Access blocked: this app’s request is invalid</h1>
<p>You can’t sign in because this app sent an invalid request. You can try again later, or contact the developer about this issue.</p>
<p><strong>Error ${refusal.status}: ${escapeHtml(refusal.error)}</strong></p>
<p class="soft">${escapeHtml(refusal.detail)}</p></div></main>`,
  );
}
