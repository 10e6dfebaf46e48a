import { isDigest, type Digest } from '../proofs/digest.ts';

/** Digests of all object references (`{store, digest, …}`) anywhere in a JSON value, each once, in order of appearance. */
export function referencesIn(value: unknown): readonly Digest[] {
  const found = new Set<Digest>();
  collect(value, found, 0);
  return [...found];
}

const MAX_DEPTH = 32;

function collect(value: unknown, found: Set<Digest>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found, depth + 1);
    return;
  }
  if ('store' in value && 'digest' in value && typeof value.digest === 'string' && isDigest(value.digest))
    found.add(value.digest);
  for (const item of Object.values(value)) collect(item, found, depth + 1);
}
