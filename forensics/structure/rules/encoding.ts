import type { Oddity } from '../file/decode.ts';
import type { Rule } from '../rule.ts';

function oddity(kinds: readonly Oddity['kind'][], id: string, meaning: string): Rule {
  return {
    id,
    level: 'alarm',
    meaning,
    *check({ model }) {
      for (const odd of model.oddities)
        if (kinds.includes(odd.kind))
          yield { place: odd.place, words: `${odd.words}${odd.bytes === null ? '' : ` (${odd.bytes.length} bytes)`}` };
    },
  };
}

/** Which member of AttributeProto belongs to which AttributeType (onnx.proto3). */
const MEMBER_OF_TYPE = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 22, 23, 14, 15];

export const encodingRules: readonly Rule[] = [
  oddity(
    ['unknown-field'],
    'encoding/unknown-field',
    'Bytes lie in a field that the format does not have and every engine skips.',
  ),
  oddity(['truncated', 'wire-type'], 'encoding/trailing-bytes', 'Bytes in the file are no valid field of the format.'),
  oddity(
    ['repeated-field'],
    'encoding/repeated-field',
    'A field stands twice: two readers may see two different models.',
  ),
  oddity(
    ['overlong-number'],
    'encoding/overlong-number',
    'Numbers are written longer than needed, which no serialiser does.',
  ),
  oddity(['invalid-text'], 'encoding/invalid-text', 'A text is not UTF-8.'),
  oddity(['too-deep'], 'encoding/nesting', 'Messages are nested deeper than a reader can follow safely.'),
  oddity(
    ['too-large'],
    'encoding/too-many-fields',
    'More fields than an examination may read: the rest was not examined.',
  ),
  {
    id: 'encoding/no-graph',
    level: 'alarm',
    meaning: 'The bytes are not an ONNX model.',
    *check({ model }) {
      if (model.main === null) yield { place: 'model', words: 'there is no graph in it' };
      else if (model.opsets.length === 0 && model.irVersion >= 3n)
        yield { place: 'model', words: 'it names no operator set' };
    },
  },
  {
    id: 'encoding/hidden-attribute-member',
    level: 'alarm',
    meaning: 'An attribute carries a value that its type says is not there.',
    *check({ model }) {
      for (const scope of model.scopes)
        for (const node of scope.nodes)
          for (const attribute of node.attributeList) {
            const own = MEMBER_OF_TYPE[attribute.type];
            const hidden = attribute.filled.filter((field) => field !== own);
            // Before IR version 3 exporters left the type out.
            if (attribute.type !== 0 && hidden.length > 0)
              yield {
                place: node.path,
                words: `attribute ${attribute.name} of type ${attribute.type} also fills field ${hidden.join(', ')}`,
                // One number more is the habit of a serialiser that writes defaults; nothing hides in it.
                level: hidden.every((field) => field === 2 || field === 3) ? 'note' : 'alarm',
              };
          }
    },
  },
];
