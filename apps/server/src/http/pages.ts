import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

/** Markup that is safe to send as it is. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(value: Html | string | readonly Html[]): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (c) => escapes[c] as string);
  return value.map(render).join('');
}

/** Builds markup; every value that is not markup itself is escaped. */
export function html(
  parts: TemplateStringsArray,
  ...values: (Html | string | readonly Html[])[]
): Html {
  return new Html(parts.reduce((text, part, i) => text + render(values[i - 1] ?? '') + part));
}

const style = `
:root { color-scheme: light dark; --ink: #18212c; --soft: #55616f; --line: #dce2e9; --page: #f3f5f8; --card: #fff; --tint: #eef2f6; --accent: #0b6b57; --on-accent: #fff; --done-tint: #ddf2ea; --warn: #8a4b00; --warn-tint: #fdf0dc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #a3b0bf; --line: #2f3945; --page: #10151b; --card: #1a2129; --tint: #242d37; --accent: #54c8ab; --on-accent: #06231c; --done-tint: #17382f; --warn: #f0b46a; --warn-tint: #3a2b15; } }
* { box-sizing: border-box; }
html { background: var(--page); }
body { margin: 0; min-height: 100svh; display: flex; flex-direction: column; align-items: center; padding: 24px 20px; color: var(--ink); font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { width: 100%; max-width: 29rem; margin: auto; background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 32px; box-shadow: 0 1px 2px rgb(16 24 40 / .05), 0 12px 32px rgb(16 24 40 / .06); }
main > :last-child { margin-bottom: 0; }
.brand { display: flex; align-items: center; gap: 8px; margin: 0 0 28px; color: var(--soft); font-size: 14px; font-weight: 600; letter-spacing: .01em; }
.brand svg { color: var(--accent); }
.sign { display: grid; place-items: center; width: 44px; height: 44px; margin-bottom: 16px; border-radius: 50%; background: var(--done-tint); color: var(--accent); }
.warn .sign { background: var(--warn-tint); color: var(--warn); }
h1 { margin: 0 0 14px; font-size: 25px; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; overflow-wrap: anywhere; }
p, ol { margin: 0 0 16px; }
ol { padding-left: 1.4em; } li { margin: 6px 0; padding-left: 4px; } li::marker { color: var(--soft); font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); font-size: 14.5px; }
strong { font-weight: 600; overflow-wrap: anywhere; }
a { color: var(--accent); }
button, .button { display: block; width: 100%; font: inherit; font-weight: 600; text-align: center; border: 0; border-radius: 10px; padding: 13px 20px; background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none; }
button:hover, .button:hover { filter: brightness(1.08); }
button.second { background: transparent; color: var(--ink); box-shadow: inset 0 0 0 1px var(--line); }
form + form { margin-top: -8px; }
.aside { margin: 24px 0 0; padding-top: 18px; border-top: 1px solid var(--line); }
button.link { display: inline; width: auto; padding: 4px 6px; background: none; color: var(--accent); font-size: 14.5px; text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 6px; }
form { margin: 26px 0 20px; } .action { margin-top: 26px; }
dl { margin: 0 0 20px; } dl div { display: grid; grid-template-columns: 5.5rem 1fr; gap: 12px; padding: 10px 0; border-bottom: 1px solid var(--line); } dt { color: var(--soft); } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.weeks { display: flex; justify-content: space-between; margin: 0 0 4px; }
details { border-top: 1px solid var(--line); } summary { padding: 14px 0; font-weight: 600; cursor: pointer; } summary .soft { font-weight: 400; margin-left: 6px; } details .times { padding-bottom: 20px; }
.times { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); gap: 8px; }
.times button { padding: 9px 8px; background: transparent; color: var(--ink); box-shadow: inset 0 0 0 1px var(--line); font-variant-numeric: tabular-nums; }
.times button:hover { background: var(--done-tint); box-shadow: inset 0 0 0 1px var(--accent); filter: none; }
@media (max-width: 30rem) { body { padding: 16px; } main { padding: 26px 22px; } }
main.reference { max-width: 50rem; margin: 0 auto; padding: 40px 44px; }
.reference h1 { font-size: 30px; }
.reference section { padding: 22px 0; border-top: 1px solid var(--line); scroll-margin-top: 28px; }
.reference section:last-child { padding-bottom: 0; }
.reference section:target { background: var(--tint); box-shadow: 0 0 0 14px var(--tint); border-radius: 2px; border-color: var(--tint); padding: 4px 0; margin: 14px 0; }
.reference section:target + section { border-color: transparent; }
.reference section:target :is(code, .code) { background: var(--card); }
.reference h2 { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; margin: 0 0 10px; font-size: 16px; }
.reference h2 a { color: inherit; text-decoration: none; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 15.5px; overflow-wrap: anywhere; }
.reference h2 a:hover { text-decoration: underline; }
.code { font-size: 13px; font-weight: 600; font-variant-numeric: tabular-nums; border-radius: 6px; padding: 1px 8px; background: var(--tint); color: var(--soft); }
.reference h2 .soft { font-weight: 400; }
.reference blockquote { margin: 0 0 10px; padding-left: 14px; border-left: 3px solid var(--line); }
.reference section p { margin: 0; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; background: var(--tint); border-radius: 4px; padding: 1px 5px; overflow-wrap: anywhere; }
@media (max-width: 30rem) { main.reference { padding: 26px 22px; } }
`;

const styleHash = hash('sha256', style, 'base64');

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** What the page is about: it worked, it did not, or a long text to look things up in. */
  readonly kind?: 'done' | 'warn' | 'reference';
  readonly status?: number;
  /** Origins, beside this one, that a form of the page may lead to. */
  readonly formTargets?: readonly string[];
}

const svg = (size: number, paths: string) =>
  new Html(
    `<svg width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`,
  );

/** A page of a calendar, with a hook in it. */
const mark = svg(
  20,
  '<rect x="3" y="5" width="18" height="16" rx="3"/><path d="M8 2.5v5M16 2.5v5M12 10.5v4.2a2.3 2.3 0 0 1-4.6 0"/>',
);
const signs = {
  done: html`<div class="sign">${svg(24, '<path d="m5 12.5 4.5 4.5L19 7.5"/>')}</div>`,
  warn: html`<div class="sign">${svg(24, '<path d="M12 5v9M12 19h.01"/>')}</div>`,
  reference: '',
};

/**
 * Sends a page for people. Nothing on it is loaded from anywhere, nothing runs, nobody frames it,
 * and its address, which may hold a one-time token, is told to no other site.
 */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${page.title} · Calhook</title>
<style>${new Html(style)}</style>
</head>
<body>
<main${new Html(page.kind ? ` class="${page.kind}"` : '')}>
<p class="brand">${mark}Calhook</p>
${page.kind ? signs[page.kind] : ''}
<h1>${page.title}</h1>
${page.body}
</main>
</body>
</html>
`;
  const formAction = ["'self'", ...(page.formTargets ?? [])].join(' ');
  return reply
    .code(page.status ?? 200)
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .send(document.text);
}
