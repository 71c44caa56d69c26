import type { World } from '../world.ts';
import { avatar, escapeHtml, page } from './layout.ts';

const STYLE = `
.flush{padding:4px 10px}
.person{display:flex;gap:12px;align-items:center}
td,code{overflow-wrap:anywhere}
code{font-size:13px}
@media(max-width:640px){
table,tbody,tr,td{display:block}
tr{border-bottom:1px solid var(--line);padding:8px 0}
tr:last-child{border-bottom:0}
td{border:0;padding:3px 6px}
}
`;

/** `/`: accounts with their calendars and mail, clients, and where everything answers. */
export function overviewPage(world: World): string {
  const accounts = world.directory.accounts().map((account) => {
    const events = [...world.calendars.primaryOf(account).events.values()].filter(
      (event) => event.status !== 'cancelled',
    ).length;
    const mails = world.outbox.messages(account.email).length;
    const email = encodeURIComponent(account.email);
    return `<tr><td><div class="person">${avatar(account.name)}<span><strong>${escapeHtml(account.name)}</strong><br><span class="soft">${escapeHtml(account.email)}</span></span></div></td>
<td>${escapeHtml(account.timeZone)}</td>
<td><a href="/calendar/${email}">Calendar</a> <span class="soft">${events} ${events === 1 ? 'event' : 'events'}</span></td>
<td><a href="/mailbox/${email}">Mailbox</a> <span class="soft">${mails} ${mails === 1 ? 'message' : 'messages'}</span></td></tr>`;
  });
  const clients = world.directory
    .clients()
    .map(
      (client) =>
        `<tr><td>${escapeHtml(client.appName)}<br><span class="soft">${escapeHtml(client.clientId)}</span></td><td>${client.publishingStatus}</td><td>${client.redirectUris.map(escapeHtml).join('<br>')}</td></tr>`,
    );
  const endpoints = Object.entries(world.endpoints).map(
    ([name, url]) => `<tr><td>${name}</td><td><code>${escapeHtml(url)}</code></td></tr>`,
  );
  return page(
    'Overview',
    `<main><h1>Google sandbox</h1>
<p class="soft">Clock: ${new Date(world.clock.now()).toUTCString()} · <a href="/mailbox">all mail</a> · ${world.requests.length} requests logged</p>
<h2>Accounts</h2><div class="card flush"><table>${accounts.join('') || '<tr><td>None yet.</td></tr>'}</table></div>
<h2>OAuth clients</h2><div class="card flush"><table>${clients.join('') || '<tr><td>None yet.</td></tr>'}</table></div>
<h2>Endpoints</h2><div class="card flush"><table>${endpoints.join('')}</table></div></main>`,
    STYLE,
  );
}
