import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import { objectKey, objectRefSchema, type ObjectRef, type ObjectStore } from '../../domain/contracts/object-ref.ts';
import { digestOf, hexOf, type Digest } from '../../domain/proofs/digest.ts';
import type { Store } from '../ports.ts';
import type { BundleCase } from './form.ts';

/** Room for the log, the manifest and the headers stays below the container's limit. */
const MAX_OBJECTS_BYTES = 900 * 2 ** 20;
/** Larger JSON is kept as it is and not searched for references. */
const MAX_SEARCHED_BYTES = 16 * 2 ** 20;
const MAX_DEPTH = 32;
const PARQUET = 'application/vnd.apache.parquet';

export interface Collected {
  readonly bytes: ReadonlyMap<Digest, Uint8Array>;
  readonly objects: BundleCase['objects'];
  readonly absent: BundleCase['absent'];
}

interface Named {
  readonly digest: Digest;
  readonly named: 'log' | 'object';
  readonly purpose: string;
  readonly ref: ObjectRef | null;
}

/**
 * Everything the log names, then everything that these objects name in turn, breadth first. `wanted` are references known from elsewhere.
 * What is not there is listed, never passed over: a bundle that hides a hole would be worse than none.
 */
export async function collect(
  store: Store,
  entries: readonly CaseEntry[],
  wanted: readonly { ref: ObjectRef; purpose: string }[],
): Promise<Collected> {
  const queue: Named[] = [
    ...wanted.map(({ ref, purpose }): Named => ({ digest: ref.digest, named: 'log', purpose, ref })),
    ...entries.flatMap((entry) =>
      [...entry.outputs, ...entry.inputs].map((digest): Named => ({
        digest,
        named: 'log',
        purpose: `entry ${entry.seq}, ${entry.phase}: ${entry.step}`,
        ref: null,
      })),
    ),
  ];
  const bytes = new Map<Digest, Uint8Array>();
  const refs = new Map<Digest, ObjectRef>();
  const kept: { digest: Digest; store: ObjectStore; purpose: string }[] = [];
  const absent: BundleCase['absent'] = [];
  const seen = new Set<Digest>();
  let total = 0;

  for (let next = queue.shift(); next; next = queue.shift()) {
    const { digest, named, purpose, ref } = next;
    if (ref && !refs.has(digest)) refs.set(digest, ref);
    if (seen.has(digest)) continue;
    seen.add(digest);
    const miss = (reason: BundleCase['absent'][number]['reason']): void =>
      void absent.push({ digest, named, reason, purpose });
    if (named === 'object' && ref?.mediaType === PARQUET) {
      miss('data-records');
      continue;
    }
    if (ref && total + ref.bytes > MAX_OBJECTS_BYTES) {
      miss('too-large');
      continue;
    }
    const found = await fetch(store, digest);
    if (found === 'not-in-store' || found === 'damaged') {
      miss(found);
      continue;
    }
    if (total + found.bytes.length > MAX_OBJECTS_BYTES) {
      miss('too-large');
      continue;
    }
    total += found.bytes.length;
    bytes.set(digest, found.bytes);
    kept.push({ digest, store: found.store, purpose });
    for (const inner of referencesIn(found.bytes)) {
      queue.push({
        digest: inner.digest,
        named: 'object',
        purpose: `${inner.name}, named by ${hexOf(digest).slice(0, 12)}…`,
        ref: inner,
      });
    }
  }

  const objects = kept.map(({ digest, store: home, purpose }) => {
    const content = bytes.get(digest) ?? new Uint8Array();
    const known = refs.get(digest);
    const ref: ObjectRef = {
      store: home,
      digest,
      bytes: content.length,
      ...(known ? { mediaType: known.mediaType, name: known.name } : guess(content)),
    };
    return { ref, purpose };
  });
  return { bytes, objects, absent };
}

/** By digest alone, because that is what the log keeps. Evidence first: what is under lock there is what was preserved. */
async function fetch(
  store: Store,
  digest: Digest,
): Promise<{ bytes: Uint8Array; store: ObjectStore } | 'not-in-store' | 'damaged'> {
  const evidence = await store.readEvidence(objectKey(digest));
  if (evidence && digestOf(evidence) === digest) return { bytes: evidence, store: 'evidence' };
  const artifact = await store.readDocument(objectKey(digest));
  if (artifact && digestOf(artifact.bytes) === digest) return { bytes: artifact.bytes, store: 'artifacts' };
  return evidence || artifact ? 'damaged' : 'not-in-store';
}

/** Every object reference anywhere in an object that is JSON. */
function referencesIn(bytes: Uint8Array): readonly ObjectRef[] {
  const value = jsonIn(bytes);
  const found: ObjectRef[] = [];
  const visit = (node: unknown, depth: number): void => {
    if (typeof node !== 'object' || node === null || depth > MAX_DEPTH) return;
    const ref = 'digest' in node ? objectRefSchema.safeParse(node) : null;
    if (ref?.success) found.push(ref.data);
    for (const inner of Object.values(node)) visit(inner, depth + 1);
  };
  visit(value, 0);
  return found;
}

function guess(bytes: Uint8Array): { mediaType: string; name: string } {
  const value = jsonIn(bytes);
  if (value === undefined) return { mediaType: 'application/octet-stream', name: 'object' };
  const schema =
    typeof value === 'object' && value !== null && 'schema' in value ? String(value.schema).slice(0, 100) : 'JSON';
  return { mediaType: 'application/json', name: schema };
}

function jsonIn(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_SEARCHED_BYTES || (bytes[0] !== 0x7b && bytes[0] !== 0x5b)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
