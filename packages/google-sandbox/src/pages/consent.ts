import type { Account } from '../directory.ts';
import { isSignInScope, scopeWording } from '../oauth/scopes.ts';
import { avatar, escapeHtml, page } from './layout.ts';

const STYLE = `
.accounts{list-style:none;margin:18px -10px 0;padding:0}
.accounts button{display:flex;gap:14px;align-items:center;width:100%;text-align:left;border:0;border-radius:10px;padding:10px;background:none;color:inherit;font-weight:400;overflow-wrap:anywhere}
.accounts button:hover{background:var(--ground);filter:none}
.accounts li+li{border-top:1px solid var(--line)}
.accounts .hinted{margin-left:auto;font-size:12px;color:var(--accent);background:var(--accent-soft);border-radius:10px;padding:2px 9px}
.who{display:inline-flex;gap:10px;align-items:center;border:1px solid var(--line);border-radius:24px;padding:4px 14px 4px 5px;margin:12px 0 4px}
.who .avatar{width:28px;height:28px;font-size:13px}
fieldset{border:0;margin:22px 0 0;padding:0}
legend{padding:0;font-size:13px;font-weight:600;color:var(--soft)}
.scope{display:flex;gap:12px;padding:11px 0;border-bottom:1px solid var(--line)}
.scope:last-child{border-bottom:0}
.scope label{flex:1;cursor:pointer}
.scope input{order:2;width:18px;height:18px;margin:3px 0 0;accent-color:var(--accent)}
.scope code{display:block;font-size:12px;color:var(--soft);overflow-wrap:anywhere}
.choices{display:flex;justify-content:space-between;flex-direction:row-reverse;margin-top:20px}
.testing{background:var(--warn-soft);color:var(--warn);border-radius:8px;padding:8px 12px;margin-top:12px;font-size:14px}
`;

type ChooserView = {
  action: string;
  request: string;
  appName: string;
  accounts: Account[];
  /** The account that login_hint names: marked, not enforced. */
  hinted: string | undefined;
};

/** First page: which account. */
export function accountChooserPage(view: ChooserView): string {
  const rows = view.accounts.map(
    (
      account,
    ) => `<li><button name="account" value="${escapeHtml(account.email)}">${avatar(account.name)}
<span><span>${escapeHtml(account.name)}</span><br><span class="soft">${escapeHtml(account.email)}</span></span>${account.email === view.hinted ? '<span class="hinted">suggested</span>' : ''}</button></li>`,
  );
  const list =
    rows.length === 0
      ? '<p>No account exists in this sandbox yet.</p>'
      : `<ul class="accounts">${rows.join('')}</ul>`;
  return page(
    'Choose an account',
    `<main><div class="card narrow"><h1>Choose an account</h1>
<p class="soft">to continue to <strong>${escapeHtml(view.appName)}</strong></p>
<form method="post" action="${view.action}"><input type="hidden" name="request" value="${escapeHtml(view.request)}">
${list}</form></div></main>`,
    STYLE,
  );
}

type ConsentView = {
  action: string;
  request: string;
  appName: string;
  testing: boolean;
  account: Account;
  scopes: string[];
  tickable: string[];
  startTicked: boolean;
};

/** Second page: what the app may do; boxes for all that is not signing in. */
export function consentPage(view: ConsentView): string {
  const fixed = view.scopes.filter((scope) => !view.tickable.includes(scope));
  const signIn = fixed.filter(isSignInScope);
  const plain = fixed.filter((scope) => !isSignInScope(scope));
  return page(
    'Grant access',
    `<main><div class="card narrow"><h1>${escapeHtml(view.appName)} wants access to your Google Account</h1>
<div class="who">${avatar(view.account.name)}<span>${escapeHtml(view.account.email)}</span></div>
${view.testing ? '<p class="testing">This app is being tested. Access ends after seven days.</p>' : ''}
<form method="post" action="${view.action}">
<input type="hidden" name="request" value="${escapeHtml(view.request)}">
<input type="hidden" name="account" value="${escapeHtml(view.account.email)}">
${signIn.length === 0 ? '' : block('Signing in gives it', signIn, line)}
${plain.length === 0 ? '' : block('It will be able to', plain, line)}
${view.tickable.length === 0 ? '' : block('Choose what it can do', view.tickable, (scope, index) => tickBox(scope, index, view.startTicked))}
<div class="choices"><button class="primary" name="decision" value="allow">Continue</button><button name="decision" value="deny">Cancel</button></div>
</form></div></main>`,
    STYLE,
  );
}

function block(
  title: string,
  scopes: string[],
  render: (scope: string, index: number) => string,
): string {
  return `<fieldset><legend>${title}</legend>${scopes.map(render).join('')}</fieldset>`;
}

function line(scope: string): string {
  return `<div class="scope"><span>${escapeHtml(scopeWording(scope))}</span></div>`;
}

function tickBox(scope: string, index: number, ticked: boolean): string {
  const id = `scope-${index}`;
  return `<div class="scope"><input type="checkbox" name="scope" id="${id}" value="${escapeHtml(scope)}"${ticked ? ' checked' : ''}>
<label for="${id}">${escapeHtml(scopeWording(scope))}<code>${escapeHtml(scope)}</code></label></div>`;
}
