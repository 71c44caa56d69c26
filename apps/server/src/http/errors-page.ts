import { errorCatalogue, errorCodes } from '@calhook/contract';
import { type Html, html, type Page } from './pages.ts';

/** What is written for programs: `code`, paths with or without their method, {placeholders}. */
const code = /(`[^`]+`|(?:[A-Z]+ )?\/[\w/.{}-]*[\w}]|\{\w+\})/;

/** Marks up a sentence of the catalogue. */
function sentence(text: string): Html[] {
  return text
    .split(code)
    .map((part, index) =>
      index % 2 === 1 ? html`<code>${part.replaceAll('`', '')}</code>` : html`${part}`,
    );
}

/** Every refusal that a caller can meet; each has an address, as `type` of a problem names it. */
export function errorsPage(): Page {
  return {
    title: 'Error codes',
    kind: 'reference',
    body: html`
<p>Every refusal is <code>application/problem+json</code> (RFC 9457) with one of these codes. Its <code>detail</code> is the sentence that is quoted here: a chatbot may read it out.</p>
${errorCodes.map((name) => {
  const { status, title, sentence: detail, remedy } = errorCatalogue[name];
  return html`<section id="${name}" aria-labelledby="${name}-name">
<h2 id="${name}-name"><a href="#${name}">${name}</a><span class="code">${String(status)}</span><span class="soft">${title}</span></h2>
<blockquote>${sentence(detail)}</blockquote>
<p>${sentence(remedy)}</p>
</section>
`;
})}`,
  };
}
