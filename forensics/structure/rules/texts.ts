import type { Text } from '../file/model.ts';
import { codeIn, encodedIn, entropy, oddAddressIn, payloadIn } from '../payload.ts';
import type { Hit, Rule } from '../rule.ts';

/** Regular expressions see this much of a text; the search for programs sees all of it. */
const EXAMINED_CHARACTERS = 1_000_000;
const LONG_NOTE = 65_536;
const LONG_ALARM = 1_000_000;
/** Shorter strings are words of a vocabulary; a tokenizer for code holds `eval(` and `<script` as tokens. */
const VOCABULARY = 24;

function* over(texts: readonly Text[], find: (text: Text) => string | null): Iterable<Hit> {
  for (const text of texts) {
    const found = find(text);
    if (found !== null) yield { place: text.path, words: found };
  }
}

const free = (text: Text): boolean => text.kind === 'doc' || text.kind === 'metadata' || text.text.length >= VOCABULARY;
const shown = (text: Text): string => text.text.slice(0, EXAMINED_CHARACTERS);
const latin = (text: Text): Uint8Array => text.bytes ?? Buffer.from(text.text, 'utf8');

export const textRules: readonly Rule[] = [
  {
    id: 'text/program',
    level: 'alarm',
    meaning: 'A program, an archive or a pickle lies in a text.',
    check: ({ model }) =>
      over(model.texts, (text) => (text.text.length < (text.kind === 'name' ? 12 : 4) ? null : payloadIn(latin(text)))),
  },
  {
    id: 'text/code',
    level: 'alarm',
    meaning: 'A text that an interpreter, a page or a log viewer would run.',
    check: ({ model }) => over(model.texts, (text) => (free(text) ? codeIn(shown(text)) : null)),
  },
  {
    id: 'text/address',
    level: 'alarm',
    meaning: 'An address that documentation does not have.',
    check: ({ model }) => over(model.texts, (text) => (free(text) ? oddAddressIn(shown(text)) : null)),
  },
  {
    id: 'text/encoded',
    level: 'alarm',
    meaning: 'A long run of base64 or hex with something dense or runnable inside.',
    check: ({ model }) => over(model.texts, (text) => (text.text.length < 200 ? null : encodedIn(shown(text)))),
  },
  {
    id: 'text/control-characters',
    level: 'alarm',
    meaning: 'Characters that steer a terminal or turn the reading direction: what is shown is not what is there.',
    check: ({ model }) =>
      over(model.texts, (text) => {
        if (text.kind === 'tensor' || text.kind === 'attribute') return null;
        // eslint-disable-next-line no-control-regex -- that is what is looked for
        if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text.text)) return 'control characters';
        if (/[\u202a-\u202e\u2066-\u2069]/.test(text.text)) return 'characters that turn the reading direction';
        return text.kind === 'name' && /[\u200b-\u200f\u2060\ufeff]/.test(text.text)
          ? 'invisible characters in a name'
          : null;
      }),
  },
  {
    id: 'text/length',
    level: 'note',
    meaning: 'A text is far longer than a description.',
    *check({ model }) {
      for (const text of model.texts)
        if (text.kind !== 'tensor' && text.kind !== 'attribute' && text.text.length > LONG_NOTE)
          yield {
            place: text.path,
            words: `${text.text.length} characters`,
            level: text.text.length > LONG_ALARM || text.kind === 'name' ? 'alarm' : 'note',
          };
    },
  },
  {
    id: 'text/dense',
    level: 'alarm',
    meaning: 'A byte string of an attribute is compressed or encrypted.',
    check: ({ model }) =>
      over(model.texts, (text) => {
        if (text.kind !== 'attribute' && text.kind !== 'tensor') return null;
        const bytes = latin(text);
        if (bytes.length < 512 || !text.text.includes('\uFFFD')) return null;
        return entropy(bytes.subarray(0, 65_536)) > 7.2 ? `${bytes.length} dense bytes` : null;
      }),
  },
];
