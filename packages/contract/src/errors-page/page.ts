import { errorCatalogue, errorCodes } from '../errors.ts';
import { occasions } from './occasions.ts';

const introduction = `# Error codes

Every refusal of the HTTP API is an RFC 9457 problem document (\`application/problem+json\`) with
\`success: false\`, a \`code\` of this page, \`title\`, \`status\`, \`detail\` and \`type\`. \`detail\` is the
sentence below with its \`{values}\` filled in, written so that a chatbot may read it out to a visitor.
Branch on \`code\`; sentences and titles may be reworded.

A running server shows the same table at \`/docs/errors\`; \`type\` of an answer points there.

This page is written by \`npm run docs:errors\` from \`packages/contract/src/errors.ts\`, and a test
compares the two.`;

/** docs/errors.md, as the catalogue says it should be. */
export function errorsPage(): string {
  const overview = errorCodes.map((code) => {
    const { status, title } = errorCatalogue[code];
    return `| [${code}](#${code}) | ${status} | ${title} |`;
  });
  const entries = errorCodes.map((code) => {
    const { status, title, sentence, remedy } = errorCatalogue[code];
    return `## ${code}

**${status} · ${title}**

> ${sentence}

When: ${occasions[code]}

What to do: ${remedy}`;
  });
  return `${[introduction, ['| code | status | title |', '|---|---|---|', ...overview].join('\n'), ...entries].join('\n\n')}\n`;
}
