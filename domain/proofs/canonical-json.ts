import { digestOf, type Digest } from './digest.ts';

/** Deeper values are refused: nothing the station signs comes near, and a cycle ends here instead of in a stack overflow. */
const MAX_DEPTH = 200;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The one text of a JSON value (RFC 8785, JSON Canonicalization Scheme): members sorted by UTF-16 code units, no spaces, numbers as
 * ECMAScript writes them. Strict: throws a TypeError that names the path on anything JSON cannot carry (undefined, NaN, bigint, functions,
 * symbols, lone surrogates, dates, class instances), because a canonicaliser that drops them signs less than it was given.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0);
}

/** SHA-256 over the UTF-8 bytes of the canonical text. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError(`${path}: nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quote(value, path);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} is not a JSON number`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    // Array.from visits holes too, as undefined, which is refused.
    return `[${Array.from(value, (item: unknown, index) => write(item, `${path}[${index}]`, depth + 1)).join(',')}]`;
  }
  if (isPlainObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((name) => {
        const inner = `${path}.${name}`;
        return `${quote(name, inner)}:${write(value[name], inner, depth + 1)}`;
      });
    return `{${members.join(',')}}`;
  }
  throw new TypeError(
    `${path}: ${typeof value === 'object' ? 'an object that is not plain' : typeof value} has no JSON form`,
  );
}

function quote(text: string, path: string): string {
  if (LONE_SURROGATE.test(text)) throw new TypeError(`${path}: a text with a lone surrogate has no UTF-8 form`);
  return JSON.stringify(text);
}

/** Made by a literal or by JSON.parse, in this realm or another (a workflow's isolate gets objects from outside). */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Object.getOwnPropertySymbols(value).length > 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    typeof prototype === 'object' &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  );
}
