import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { DOCUMENTS, type Store } from '../ports.ts';
import { parseEntry } from './entry.ts';

/** How many entries are fetched at once. */
const AT_ONCE = 16;

/** The bytes of the first `size` entries. A missing one is `evidence/diverged`. */
export async function readEntryBytes(store: Store, incident: string, size: number): Promise<readonly Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for (let from = 0; from < size; from += AT_ONCE) {
    const keys = Array.from({ length: Math.min(AT_ONCE, size - from) }, (_, index) =>
      DOCUMENTS.caseEntry(incident, from + index),
    );
    const found = await Promise.all(keys.map((key) => store.readEvidence(key)));
    found.forEach((bytes, index) => {
      if (!bytes) throw new Failure('evidence/diverged', `${keys[index]} is missing.`);
      entries.push(bytes);
    });
  }
  return entries;
}

/** The first `size` entries of an incident. One that is missing or not well formed is `evidence/diverged`. */
export async function readEntries(store: Store, incident: string, size: number): Promise<readonly CaseEntry[]> {
  const all = await readEntryBytes(store, incident, size);
  return all.map((bytes, seq) => {
    const entry = parseEntry(bytes, incident, seq);
    if ('wrong' in entry)
      throw new Failure('evidence/diverged', `${DOCUMENTS.caseEntry(incident, seq)} ${entry.wrong}.`);
    return entry;
  });
}
