import { createLanguage } from '../../clients/mapping/bounded-cel.ts';

/** Conditions of fallback rules: `features` is the record. */
const language = createLanguage<{ readonly features: readonly number[] }>({ features: 'list<double>' });

export type Condition = (features: readonly number[]) => boolean;

/** Throws an ExpressionError that says what is wrong with the text. A record that the expression has no value for does not hold. */
export function compileCondition(text: string): Condition {
  const evaluate = language.compile(text, 'bool');
  return (features) => {
    try {
      return evaluate({ features });
    } catch {
      return false;
    }
  };
}

/** Throws an ExpressionError where the expression has no value for a record of this width. */
export function tryCondition(text: string, width: number): void {
  language.compile(text, 'bool')({ features: new Array<number>(width).fill(0) });
}
