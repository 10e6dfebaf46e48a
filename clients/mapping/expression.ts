import { createLanguage, ExpressionError, MAX_VALUES_AT_ONCE } from './bounded-cel.ts';

/** What expressions see: a JSON document, and headers by their lower-case names. */
export interface Delivered {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** A document in the form that expressions read. */
export type Context = { readonly body: unknown; readonly headers: ReadonlyMap<string, string> };

const deliveries = createLanguage<Context>({ body: 'dyn', headers: 'map<string, string>' });

/** What an expression reads of `body` is known only when a body is there, so `body.x` passes as anything. Throws an ExpressionError. */
export const compile = deliveries.compile;

/** Throws where a list is longer than an expression may walk. Maps have no prototype to reach. */
export function contextOf({ body, headers }: Delivered): Context {
  return { body: readable(body), headers: new Map(Object.entries(headers)) };
}

function readable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length > MAX_VALUES_AT_ONCE) {
    throw new ExpressionError(
      `the body has ${entries.length} values in one place; at most ${MAX_VALUES_AT_ONCE} are read`,
    );
  }
  return Array.isArray(value) ? value.map(readable) : new Map(entries.map(([name, inner]) => [name, readable(inner)]));
}
