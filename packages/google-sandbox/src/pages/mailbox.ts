import type { MailKind, MailMessage } from '../mail/message.ts';
import { escapeHtml, page } from './layout.ts';
import { LIVE_SCRIPT } from './live.ts';

const LABELS: Record<MailKind, string> = {
  invite: 'Invitation',
  update: 'Update',
  cancel: 'Cancellation',
  reminder: 'Reminder',
  created: 'New event',
};

const STYLE = `
.mail{padding:14px 20px;margin-top:12px}
.mail summary{cursor:pointer;display:grid;grid-template-columns:110px minmax(0,1fr) auto;gap:14px;align-items:baseline}
.mail summary::-webkit-details-marker{display:none}
.mail summary{list-style:none}
.tag{font-size:12px;border-radius:10px;padding:2px 10px;background:var(--accent-soft);color:var(--accent);justify-self:start}
.tag.cancel{background:var(--bad-soft);color:var(--bad)}
.subject{font-weight:500;overflow-wrap:anywhere}
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:14px 0 0;padding:14px 0;border-top:1px solid var(--line)}
pre{background:var(--ground);border-radius:8px;padding:12px 14px;overflow:auto;font-size:12.5px;white-space:pre-wrap;overflow-wrap:anywhere}
h1{overflow-wrap:anywhere}
@media(max-width:640px){
.mail summary{grid-template-columns:1fr auto;gap:8px}
.mail summary>:nth-child(2){order:3;grid-column:1/-1}
}
`;

/** What Google would have sent: to one address, or to everybody. */
export function mailboxPage(messages: MailMessage[], to: string | undefined): string {
  const list = messages.toReversed().map(
    (
      message,
    ) => `<details class="card mail" id="mail-${message.id}"><summary><span class="tag ${message.kind}">${LABELS[message.kind]}</span><span><span class="subject">${escapeHtml(message.subject)}</span><br><span class="soft">to ${escapeHtml(message.to)}, from ${escapeHtml(message.from)}</span></span><time class="soft">${new Date(message.at).toISOString().slice(0, 16).replace('T', ' ')}</time></summary>
<div class="text">${escapeHtml(message.text)}</div>${to === undefined ? `<p><a href="/mailbox/${encodeURIComponent(message.to)}">All mail to ${escapeHtml(message.to)}</a></p>` : ''}${message.ics === '' ? '' : `<p class="soft">invite.ics (method ${message.method})</p><pre>${escapeHtml(message.ics)}</pre>`}</details>`,
  );
  return page(
    to === undefined ? 'Mail' : `Mail to ${to}`,
    `<main id="live"><h1>${to === undefined ? 'All mail' : `Mail to ${escapeHtml(to)}`}</h1>
<p class="soft">What Google would have sent. ${messages.length} ${messages.length === 1 ? 'message' : 'messages'}.</p>
${list.join('') || '<p class="card mail">Nothing yet. Invitations appear here when an event with guests is made with <code>sendUpdates=all</code>.</p>'}</main>${LIVE_SCRIPT}`,
    STYLE,
  );
}
