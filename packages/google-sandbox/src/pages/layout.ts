/** Text for use in HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#dfe4ea;--paper:#fff;--ground:#f4f6f8;--accent:#2b5fae;--on-accent:#fff;--accent-soft:#e6eefa;--warn:#8a5300;--warn-soft:#fff4e0;--warn-line:#f0dcb8;--bad:#a12a1f;--bad-soft:#fbe9e7;--now:#c5362c;--focus:#3f78cf;--hover:brightness(.97)}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#a3afbc;--line:#333d48;--paper:#1b2229;--ground:#12171c;--accent:#8fb8f6;--on-accent:#0e2140;--accent-soft:#213450;--warn:#f0c27b;--warn-soft:#2e2410;--warn-line:#574319;--bad:#f5a79d;--bad-soft:#44201c;--now:#f2776c;--focus:#8fb8f6;--hover:brightness(1.12)}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
a{color:var(--accent)}
.stand-in{background:var(--warn-soft);color:var(--warn);font-size:13px;padding:6px 20px;border-bottom:1px solid var(--warn-line);display:flex;justify-content:space-between;gap:16px}
.stand-in a{color:inherit}
main{max-width:1200px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:24px;font-weight:600;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;font-weight:600;margin:28px 0 10px}
.soft{color:var(--soft)}
.card{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:20px 22px}
.narrow{max-width:480px;margin:40px auto}
button,.button{font:inherit;font-weight:500;padding:9px 20px;border-radius:20px;border:1px solid var(--line);background:var(--paper);color:var(--accent);cursor:pointer;text-decoration:none;display:inline-block}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
button:hover,.button:hover{filter:var(--hover)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
table{border-collapse:collapse;width:100%}
th{font-weight:500;color:var(--soft);font-size:13px;text-align:left}
th,td{padding:9px 12px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
.avatar{flex:none;width:38px;height:38px;border-radius:50%;background:var(--accent-soft);color:var(--accent);display:grid;place-items:center;font-weight:600}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:640px){
.stand-in{padding:6px 16px}
main{padding:16px 16px 40px}
.card{padding:16px}
.narrow{margin:8px auto}
}
`;

/** A whole page, marked as what it is: a stand-in. */
export function page(title: string, content: string, extraStyle = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – Google sandbox</title>
<link rel="icon" href="data:,">
<style>${STYLE}${extraStyle}</style>
</head>
<body>
<header class="stand-in"><span><strong>Google sandbox</strong> – stand-in for tests and demos, not Google</span><a href="/">Overview</a></header>
${content}
</body>
</html>
`;
}

/** The first letter of a name, in a circle. */
export function avatar(name: string): string {
  const letter = [...name.trim()][0] ?? '?';
  return `<span class="avatar" aria-hidden="true">${escapeHtml(letter.toUpperCase())}</span>`;
}
