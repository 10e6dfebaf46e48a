import { Environment, type ASTNode } from '@marcbachmann/cel-js';

/** Thrown where an expression cannot be used, or gave something else than it promised; the message is for whoever wrote it. */
export class ExpressionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExpressionError';
  }
}

/**
 * Bounds on what one expression may cost, whatever is sent: it has at most 200 nodes, walks lists of at most 1,000 values, walks none inside another,
 * and matches no regular expression (their time has no bound in this engine).
 */
const LIMITS = { maxAstNodes: 200, maxDepth: 24, maxListElements: 50, maxMapEntries: 50, maxCallArguments: 8 };
export const MAX_VALUES_AT_ONCE = 1_000;
const WALKS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['matches', 'regular expressions are not taken; use startsWith, endsWith, contains or =='],
  ['split', 'split is not taken; use contains, indexOf and substring'],
]);

/** Reads expressions of CEL (https://cel.dev) over some variables, by name and CEL type. */
export interface Language<Context> {
  /**
   * Parses and type-checks an expression whose value is a text or a truth. Throws an ExpressionError that says what is wrong; what it gives throws one
   * where the expression has no such value.
   */
  compile<As extends 'string' | 'bool'>(
    text: string,
    as: As,
  ): (context: Context) => As extends 'bool' ? boolean : string;
}

export function createLanguage<Context extends object>(variables: Readonly<Record<string, string>>): Language<Context> {
  const environment = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false });
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);

  return {
    compile<As extends 'string' | 'bool'>(text: string, as: As) {
      let parsed: ReturnType<typeof environment.parse>;
      try {
        parsed = environment.parse(text);
      } catch (cause) {
        throw new ExpressionError(summaryOf(cause), { cause });
      }
      refuseCostly(parsed.ast, false);
      const { valid, type, error } = parsed.check();
      if (!valid) throw new ExpressionError(summaryOf(error));
      if (type !== 'dyn' && type !== as) {
        throw new ExpressionError(
          `gives a value of type ${type}; expected ${as === 'bool' ? 'true or false' : 'a text'}`,
        );
      }
      const isExpected = (value: unknown): value is As extends 'bool' ? boolean : string =>
        typeof value === (as === 'bool' ? 'boolean' : 'string');
      return (context) => {
        let value: unknown;
        try {
          value = parsed(context);
        } catch (cause) {
          throw new ExpressionError(summaryOf(cause), { cause });
        }
        if (isExpected(value)) return value;
        throw new ExpressionError(`gave no ${as === 'bool' ? 'truth' : 'text'}`);
      };
    },
  };
}

/** `isInside`: is the node evaluated once for each value of a list? */
function refuseCostly(node: ASTNode, isInside: boolean): void {
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    const refusal = REFUSED.get(name);
    if (refusal !== undefined) throw new ExpressionError(refusal);
    const walks = WALKS.has(name);
    if (walks && isInside) throw new ExpressionError(`${name} is inside another walk over a list`);
    refuseCostly(receiver, isInside);
    for (const arg of args) refuseCostly(arg, isInside || walks);
    return;
  }
  for (const inner of nodesOf(node.args)) refuseCostly(inner, isInside);
}

function nodesOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesOf);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** The engine's errors have one line for people, and a picture of the place that is no good in an answer. */
function summaryOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'summary' in error && typeof error.summary === 'string') {
    return error.summary.slice(0, 300);
  }
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '').slice(0, 300) : 'cannot be evaluated';
}
