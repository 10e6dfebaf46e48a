import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import { canonicalJson } from '../../../domain/proofs/canonical-json.ts';
import { merkleRootHex } from '../../../domain/proofs/merkle.ts';

/** RFC 6962 root over the entries' canonical JSON, derived anew here: the report states what it was given, not what it was told. */
export function evidenceRootOf(entries: readonly CaseEntry[]): string {
  return merkleRootHex(entries.map((entry) => canonicalJson(entry)));
}
