import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { DOCUMENTS, type Store } from '../ports.ts';
import { entryBytes } from './entry.ts';

/**
 * Writes entries, each once under Object Lock. Repeating is fine; another entry at the same place is `evidence/diverged`, because then two
 * histories claim to be this incident's.
 */
export async function appendEntries(store: Store, entries: readonly CaseEntry[]): Promise<void> {
  for (const entry of entries) {
    const key = DOCUMENTS.caseEntry(entry.incident, entry.seq);
    const bytes = entryBytes(entry);
    if ((await store.writeOnce(key, bytes, 'application/json')) === 'written') continue;
    const found = await store.readEvidence(key);
    if (!found || Buffer.compare(found, bytes) !== 0) {
      throw new Failure(
        'evidence/diverged',
        `${key} ${found ? 'holds another entry' : 'is hidden behind a delete marker'}.`,
      );
    }
  }
}
