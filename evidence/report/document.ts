import type { Html } from './markup.ts';

/**
 * The post-mortem as data: both renderings (Markdown, HTML) are drawn from the same sections, so they cannot tell two stories.
 * Every text may come from an attacker (labels, reasons, names, tensor names): only the renderers turn texts into markup, and escape all of them.
 */
export interface Report {
  readonly title: string;
  readonly overline: string;
  readonly subtitle: string;
  readonly badges: readonly Badge[];
  readonly sections: readonly Section[];
}

export interface Section {
  /** Anchor: lower-case letters and hyphens, ours. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Tone = 'alarm' | 'caution' | 'good' | 'plain';

export interface Badge {
  readonly text: string;
  readonly tone: Tone;
}

export type Inline = string | { readonly code: string } | { readonly strong: string } | { readonly badge: Badge };
export type Text = Inline | readonly Inline[];

export interface Column {
  readonly title: string;
  readonly align?: 'end';
}

export type Block =
  | { readonly kind: 'paragraph'; readonly text: Text }
  | { readonly kind: 'note'; readonly text: Text }
  | {
      readonly kind: 'figures';
      readonly figures: readonly { label: string; value: string; note: string; tone: Tone }[];
    }
  | { readonly kind: 'facts'; readonly facts: readonly { term: string; text: Text }[] }
  | {
      readonly kind: 'table';
      readonly caption: string;
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Text[])[];
    }
  /** Drawn in HTML only; `caption` says in words what the picture shows, and a table beside it has its figures. */
  | { readonly kind: 'picture'; readonly caption: string; readonly pictures: readonly Html[] };

export const paragraph = (...text: Inline[]): Block => ({ kind: 'paragraph', text });
export const note = (...text: Inline[]): Block => ({ kind: 'note', text });
export const code = (text: string): Inline => ({ code: text });
export const strong = (text: string): Inline => ({ strong: text });
export const badge = (text: string, tone: Tone): Inline => ({ badge: { text, tone } });
export const end = (title: string): Column => ({ title, align: 'end' });
export const column = (title: string): Column => ({ title });

export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Text[])[]): Block {
  return { kind: 'table', caption, columns, rows };
}

/** The one word for a figure that nobody measured. A report MUST NOT invent one. */
export const NOT_MEASURED = 'not measured';

const TONES: Readonly<Record<string, Tone>> = {
  compromised: 'alarm',
  fail: 'alarm',
  failed: 'alarm',
  rejected: 'alarm',
  reject: 'alarm',
  refused: 'alarm',
  critical: 'alarm',
  abort: 'alarm',
  cancel: 'alarm',
  suspicious: 'caution',
  inconclusive: 'caution',
  skipped: 'caution',
  skip: 'caution',
  high: 'caution',
  clean: 'good',
  pass: 'good',
  approved: 'good',
  approve: 'good',
  verified: 'good',
};

/** A verdict of ours as a badge; a word that is not in the table stays plain. */
export function verdict(word: string): Inline {
  return badge(word, Object.hasOwn(TONES, word) ? (TONES[word] ?? 'plain') : 'plain');
}
