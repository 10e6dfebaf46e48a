/** Markup that is safe to embed. Made by `html` only, which escapes every text put into it. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Piece = string | number | Html | null | false | readonly Piece[];

/** Tagged template: literal parts are ours, interpolated texts are escaped for element content and for quoted attributes alike. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return new Html(parts.reduce((out, part, index) => out + markupOf(values[index - 1] ?? null) + part));
}

function markupOf(piece: Piece): string {
  if (piece === null || piece === false) return '';
  if (piece instanceof Html) return piece.markup;
  if (typeof piece === 'number') return Number.isFinite(piece) ? String(Math.round(piece * 100) / 100) : '0';
  if (typeof piece === 'string') return escapeHtml(legible(piece));
  return piece.map(markupOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Longest text of a stranger that is shown in full; the rest is in the case log and in the alert's stored body. */
const MAX_SHOWN = 600;

/**
 * What a person sees must be what the bytes say: control characters, bidirectional overrides and invisible characters are shown by their
 * code point (Trojan Source, CVE-2021-42574), lone surrogates too, and very long texts are cut with their length named.
 */
export function legible(text: string, limit: number = MAX_SHOWN): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters in all)` : text;
  return cut
    .replace(/[\r\n\t]+/g, ' ')
    .replace(
      /[\p{Cc}\p{Cf}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]|\p{Cs}/gu,
      (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
    );
}

/** At most `limit` characters, for labels in pictures; the table beside the picture has the whole text. */
export function clip(text: string, limit: number): string {
  const shown = legible(text);
  return shown.length > limit ? `${shown.slice(0, Math.max(1, limit - 1))}…` : shown;
}
