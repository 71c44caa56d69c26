import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SitePage {
  readonly botId: string;
  readonly webhookUrl: string;
  /** Where the owner sees what was booked. */
  readonly calendarUrl: string;
}

const page = (options: SitePage) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lovelace Bicycle Workshop</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --ink: #23201c; --soft: #655d53; --paper: #faf6ef; --card: #fff; --line: #e4dccf; --field: #fff; --edge: #8d8374; --accent: #a8401f; --on-accent: #fff; --booked: #e4f3e8; --booked-ink: #14532d; --refused: #fdecd9; --refused-ink: #7a3b06; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1ebe2; --soft: #b8ada0; --paper: #191613; --card: #231f1b; --line: #3a342d; --field: #191613; --edge: #8d8374; --accent: #f0936f; --on-accent: #2b1006; --booked: #163323; --booked-ink: #b5e6c6; --refused: #3d2710; --refused-ink: #ffd3a1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.6 Georgia, 'Times New Roman', serif; }
header, main, footer { max-width: 64rem; margin: 0 auto; padding: 0 32px; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 24px; padding-top: 28px; }
header b { font-size: 20px; } header span { color: var(--soft); font-size: 15px; }
main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 64px; padding-top: 56px; padding-bottom: 64px; align-items: start; }
h1 { font-size: clamp(32px, 5vw, 46px); line-height: 1.12; letter-spacing: -.01em; margin: 0 0 18px; text-wrap: balance; }
p { margin: 0 0 16px; }
a { color: var(--accent); }
.about { margin-top: 36px; border-left: 3px solid var(--line); padding-left: 18px; color: var(--soft); font: 15px/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
.about p { margin-bottom: 8px; }
code { font-size: .92em; }
form { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 28px; font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-size: 16px; }
h2 { margin: 0 0 18px; font-size: 20px; }
label { display: block; margin-bottom: 16px; font-size: 14px; font-weight: 600; } label span { color: var(--soft); font-weight: 400; }
input { display: block; width: 100%; min-width: 0; height: 46px; margin-top: 5px; padding: 0 12px; font: inherit; font-size: 16px; font-weight: 400; border: 1px solid var(--edge); border-radius: 8px; background: var(--field); color: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 14px; } .hint { margin: -6px 0 18px; color: var(--soft); font-size: 14px; }
button { width: 100%; min-height: 48px; border: 0; border-radius: 8px; background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer; }
button:hover { filter: brightness(1.08); } button[disabled] { opacity: .6; cursor: progress; }
[role=status] { margin: 16px 0 0; border-radius: 8px; padding: 12px 14px; } [role=status]:empty { display: none; }
[data-kind=booked] { background: var(--booked); color: var(--booked-ink); } [data-kind=refused] { background: var(--refused); color: var(--refused-ink); }
footer { color: var(--soft); font-size: 14px; padding-bottom: 40px; }
@media (max-width: 52rem) { header, main, footer { padding-left: 20px; padding-right: 20px; } header { padding-top: 20px; } main { grid-template-columns: minmax(0, 1fr); gap: 32px; padding-top: 28px; padding-bottom: 40px; } form { padding: 24px 20px; } .about { margin-top: 0; } section { display: contents; } form { order: 1; } .about { order: 2; } .intro p:last-child { margin-bottom: 0; } }
</style>
</head>
<body>
<header><b>Lovelace Bicycle Workshop</b><span>London · Mon–Fri, 9 to 17</span></header>
<main>
<section>
<div class="intro">
<h1>Your bicycle, looked after while you wait.</h1>
<p>Half an hour, a cup of coffee, and it shifts like new. Choose a time and bring it round.</p>
</div>
<aside class="about" aria-label="About this sample">
<p>This is the sample website of a client. It knows its <code>botId</code> and nothing of Google: the form posts to one address that serves every client.</p>
<p><a href="${options.calendarUrl}" target="_blank" rel="noopener">Watch the owner’s calendar</a> in another window while you book.</p>
</aside>
</section>
<form>
<h2>Book an appointment</h2>
<label>Full name <input name="fullName" autocomplete="name" required></label>
<label>E-mail <input name="email" type="email" autocomplete="email" required></label>
<label>Phone <span>(optional)</span> <input name="phone" type="tel" autocomplete="tel"></label>
<div class="two">
<label>Date <input name="date" type="date" required></label>
<label>Time <input name="time" type="time" step="900" value="10:00" required aria-describedby="zone"></label>
</div>
<p class="hint" id="zone">Half an hour, London time.</p>
<button>Book</button>
<div role="status" aria-live="polite"></div>
</form>
</main>
<footer>A sample for the Calhook demo; there is no such workshop.</footer>
<script>
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const tomorrow = new Date(Date.now() + 864e5);
while (tomorrow.getDay() % 6 === 0) tomorrow.setDate(tomorrow.getDate() + 1);
form.date.value = tomorrow.toLocaleDateString('sv');
const calendar = document.querySelector('.about a');
const showWeek = () => { calendar.search = '?week=' + form.date.value; };
form.date.addEventListener('change', showWeek);
showWeek();
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  status.textContent = '';
  try {
    const response = await fetch(${JSON.stringify(options.webhookUrl)}, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        botId: ${JSON.stringify(options.botId)},
        type: 'appointment',
        formData: Object.fromEntries(new FormData(form)),
      }),
    });
    const answer = await response.json();
    status.dataset.kind = answer.success ? 'booked' : 'refused';
    status.textContent = answer.success ? 'Booked: ' + answer.when + '. The invitation is on its way.' : answer.detail;
  } catch {
    status.dataset.kind = 'refused';
    status.textContent = 'Sorry, booking is not possible right now. Please try again in a moment.';
  } finally {
    button.disabled = false;
  }
});
</script>
</body>
</html>
`;

/** The website of a client, on an origin of its own, as a stand-in for the real ones. */
export async function startSite(options: {
  readonly host: string;
  readonly port: number;
  readonly page: SitePage;
}): Promise<{ url: string; close(): Promise<void> }> {
  const body = page(options.page);
  const server: Server = createServer((request, response) => {
    const found = request.url?.split('?')[0] === '/';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
    response.end(found ? body : 'Not found');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
