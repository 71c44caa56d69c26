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
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d9dfe7; --page: #f4f6f9; --card: #fff; --accent: #0b6b57; --on-accent: #fff; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #a3b0bf; --line: #303a46; --page: #12171d; --card: #1a2129; --accent: #54c8ab; --on-accent: #06231c; --warn: #f0b46a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { width: 100%; max-width: 30rem; background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 32px; }
.brand { margin: 0 0 20px; color: var(--soft); font-size: 14px; letter-spacing: .02em; }
h1 { margin: 0 0 12px; font-size: 24px; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 14px; }
.soft { color: var(--soft); font-size: 14.5px; }
strong { overflow-wrap: anywhere; }
.warn h1 { color: var(--warn); }
ul { margin: 0 0 18px; padding-left: 1.2em; } li { margin: 4px 0; }
button, .button { display: inline-block; font: inherit; font-weight: 600; border: 0; border-radius: 10px; padding: 12px 20px; background: var(--accent); color: var(--on-accent); cursor: pointer; text-decoration: none; }
button:focus-visible, .button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
form { margin: 22px 0 18px; }
`;

const styleHash = hash('sha256', style, 'base64');

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Something went wrong. */
  readonly warning?: boolean;
  readonly status?: number;
  /** Origins, beside this one, that a form of the page may lead to. */
  readonly formTargets?: readonly string[];
}

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
<main${new Html(page.warning ? ' class="warn"' : '')}>
<p class="brand">Calhook</p>
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
