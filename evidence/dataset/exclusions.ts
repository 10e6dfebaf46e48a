import type { DatasetManifest } from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import type { Store } from '../ports.ts';
import { byCodePoint } from './record.ts';

type Exclusions = DatasetManifest['exclusions'];

/** Stores a list of ids, each once, sorted by code point. Null for none. */
export async function writeExclusions(store: Store, ids: Iterable<string>): Promise<Exclusions> {
  const sorted = [...new Set(ids)].sort(byCodePoint);
  if (sorted.length === 0) return null;
  const bytes = new TextEncoder().encode(canonicalJson(sorted));
  const object = await store.put('artifacts', bytes, { mediaType: 'application/json', name: 'exclusions.json' });
  return { object, count: sorted.length };
}

/** The ids a version leaves out. Throws `dataset/invalid` where the list is not sorted, repeats itself or has another length. */
export async function readExclusions(store: Store, exclusions: Exclusions): Promise<ReadonlySet<string>> {
  if (!exclusions) return new Set();
  const ids = textsIn(await store.get(exclusions.object));
  if (
    !ids ||
    ids.length !== exclusions.count ||
    ids.some((id, index) => index > 0 && byCodePoint(ids[index - 1] ?? '', id) >= 0)
  ) {
    throw new Failure(
      'dataset/invalid',
      `The exclusion list is not a sorted JSON array of ${exclusions.count} different ids.`,
    );
  }
  return new Set(ids);
}

function textsIn(bytes: Uint8Array): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
  } catch {
    return null;
  }
}
