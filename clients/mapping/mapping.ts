import type { MappedSource } from '../../domain/contracts/intake.ts';
import { ExpressionError } from './bounded-cel.ts';
import { compile, contextOf, type Context, type Delivered } from './expression.ts';

/** What the expressions of a source give for one delivery, as texts; null where `when` says that it is no alert. */
export interface Mapped {
  readonly id: string;
  readonly endpoint: string;
  readonly title: string;
  readonly kind: string | undefined;
  readonly severity: string | undefined;
  readonly status: string | undefined;
  readonly startsAt: string | undefined;
}

const TEXTS = ['id', 'endpoint', 'title', 'kind', 'severity', 'status', 'startsAt'] as const;

/** Says which expression it was. */
export class MappingError extends Error {
  readonly field: string;
  constructor(field: string, cause: ExpressionError) {
    super(cause.message, { cause });
    this.name = 'MappingError';
    this.field = field;
  }
}

/** Compiles the expressions of a source. Throws a MappingError for the first that cannot be used. */
export function compileMapping(source: MappedSource): (delivered: Delivered) => Mapped | null {
  const named = <T>(field: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof ExpressionError) throw new MappingError(field, error);
      throw error;
    }
  };
  const { when } = source;
  const isAlert = when === undefined ? null : named('when', () => compile(when, 'bool'));
  const texts = new Map(
    TEXTS.flatMap((field) => {
      const text = source[field];
      return text === undefined ? [] : [[field, named(field, () => compile(text, 'string'))] as const];
    }),
  );
  return (delivered) => {
    const context: Context = named('body', () => contextOf(delivered));
    if (isAlert && !named('when', () => isAlert(context))) return null;
    const text = (field: (typeof TEXTS)[number]): string | undefined => {
      const evaluate = texts.get(field);
      return evaluate && named(field, () => evaluate(context));
    };
    return {
      id: text('id') ?? '',
      endpoint: text('endpoint') ?? '',
      title: text('title') ?? '',
      kind: text('kind'),
      severity: text('severity'),
      status: text('status'),
      startsAt: text('startsAt'),
    };
  };
}

/** Every expression of a source that cannot be used, and why. */
export function problemsOfMapping(source: MappedSource): readonly { readonly field: string; readonly why: string }[] {
  const fields = ['when', ...TEXTS] as const;
  return fields.flatMap((field) => {
    const text = source[field];
    if (text === undefined) return [];
    try {
      compile(text, field === 'when' ? 'bool' : 'string');
      return [];
    } catch (error) {
      if (error instanceof ExpressionError) return [{ field, why: error.message }];
      throw error;
    }
  });
}
