import { Environment } from '@marcbachmann/cel-js';

/**
 * A condition of a fallback rule in CEL (https://cel.dev): `features` is the record, a list of doubles, and the value a truth. Bounded in what it may
 * cost: no walks over the record inside one another, and no text to match.
 */
const environment = new Environment({
  limits: { maxAstNodes: 200, maxDepth: 24, maxListElements: 100, maxMapEntries: 10, maxCallArguments: 8 },
}).registerVariable('features', 'list<double>');

const WALKS = /\.\s*(?:all|exists|exists_one|map|filter)\s*\(/g;

export type Condition = (features: readonly number[]) => boolean;

/** Throws an Error that says what is wrong with the text. A record that the expression cannot be evaluated on does not hold. */
export function compileCondition(text: string): Condition {
  if ((text.match(WALKS) ?? []).length > 1) throw new Error('walks over the record more than once');
  const parsed = environment.parse(text);
  const { valid, type, error } = parsed.check();
  if (!valid) throw new Error(firstLine(error));
  if (type !== 'bool') throw new Error(`gives a value of type ${type}; expected true or false`);
  return (features) => {
    try {
      return parsed({ features }) === true;
    } catch {
      return false;
    }
  };
}

/** Does the expression have a value for a record of this width? Throws an Error that says why it has none. */
export function tryCondition(text: string, width: number): void {
  const value: unknown = environment.parse(text)({ features: new Array<number>(width).fill(0) });
  if (typeof value !== 'boolean') throw new Error('gave no truth');
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'cannot be read';
}
