/**
 * `JSON.parse` that refuses a member name given twice in one object. Parsers differ on which of two counts, so whoever controls signed text
 * could show one thing to one reader and another to the next. Throws SyntaxError on both bad syntax and a repeated name.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  refuseRepeatedNames(text);
  return value;
}

/** In text that is valid JSON, a string is a member name exactly when a colon follows it. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/g;

function refuseRepeatedNames(text: string): void {
  const open: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      // Decoded, so that "a" and "\u0061" are the same name.
      const name = String(JSON.parse(token.slice(0, token.length - colon.length)));
      const names = open.at(-1);
      if (names?.has(name)) throw new SyntaxError(`the member ${JSON.stringify(name)} is given twice`);
      names?.add(name);
    }
  }
}

/** Strict UTF-8: invalid sequences are refused, and a byte order mark is left for the parser to refuse. Throws TypeError. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
