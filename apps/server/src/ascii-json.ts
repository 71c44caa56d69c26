/** The same JSON in ASCII alone, so that its length is its size and it is sent without encoding. */
export function toAscii(json: string): string {
  return json.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
