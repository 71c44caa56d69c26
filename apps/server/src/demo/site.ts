import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const page = (options: { botId: string; webhookUrl: string }) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lovelace Bicycle Workshop</title>
<style>
:root { --ink: #23201c; --soft: #6c6459; --paper: #faf6ef; --card: #fff; --line: #e4dccf; --accent: #a8401f; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.6 Georgia, 'Times New Roman', serif; }
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 24px; }
header { display: flex; justify-content: space-between; align-items: baseline; padding-top: 28px; }
header b { font-size: 20px; } header span { color: var(--soft); font-size: 15px; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 56px; padding-top: 56px; padding-bottom: 72px; align-items: start; }
@media (max-width: 46rem) { main { grid-template-columns: 1fr; gap: 32px; padding-top: 32px; } }
h1 { font-size: clamp(32px, 5vw, 46px); line-height: 1.12; margin: 0 0 18px; text-wrap: balance; }
p { margin: 0 0 16px; } .soft { color: var(--soft); }
form { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 28px; font-family: system-ui, sans-serif; font-size: 16px; }
h2 { margin: 0 0 18px; font-size: 20px; }
label { display: block; margin-bottom: 14px; font-size: 14px; font-weight: 600; }
input { display: block; width: 100%; margin-top: 5px; padding: 10px 12px; font: inherit; font-size: 16px; font-weight: 400; border: 1px solid #b9ae9e; border-radius: 8px; background: #fff; color: inherit; }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; }
button { width: 100%; padding: 13px; border: 0; border-radius: 8px; background: var(--accent); color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
button[disabled] { opacity: .6; cursor: progress; }
[role=status] { margin: 16px 0 0; border-radius: 8px; padding: 12px 14px; } [role=status]:empty { display: none; }
[data-kind=booked] { background: #e4f3e8; color: #14532d; } [data-kind=refused] { background: #fdecd9; color: #7a3b06; }
footer { color: var(--soft); font-size: 14px; padding-bottom: 40px; }
</style>
</head>
<body>
<header><b>Lovelace Bicycle Workshop</b><span>Mon–Fri, 9–17</span></header>
<main>
<section>
<h1>Your bicycle, looked after while you wait.</h1>
<p>Half an hour, a cup of coffee, and it shifts like new. Choose a time and bring it round.</p>
<p class="soft">This is the sample website of a client. It knows its <code>botId</code> and nothing of Google: the form posts to one address that serves every client.</p>
</section>
<form>
<h2>Book an appointment</h2>
<label>Full name <input name="fullName" autocomplete="name" required></label>
<label>E-mail <input name="email" type="email" autocomplete="email" required></label>
<label>Phone <input name="phone" type="tel" autocomplete="tel"></label>
<div class="two">
<label>Date <input name="date" type="date" required></label>
<label>Time <input name="time" type="time" step="900" value="10:00" required></label>
</div>
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
  readonly botId: string;
  readonly webhookUrl: string;
}): Promise<{ url: string; close(): Promise<void> }> {
  const body = page(options);
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
