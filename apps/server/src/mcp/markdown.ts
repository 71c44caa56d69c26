/** Signs that show nothing, but turn the order of others around or hide texts in plain sight. */
const unseen = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/**
 * A text of somebody else on one line of Markdown, in which nothing of it is markup: every sign
 * that could be is escaped (CommonMark §2.4), and what breaks lines is a space.
 */
export function plainText(text: string): string {
  return text
    .replace(unseen, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(/[!-/:-@[-`{-~]/g, '\\$&');
}
