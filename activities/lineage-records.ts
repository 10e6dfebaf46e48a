import type { DatasetRef } from '../domain/contracts/dataset.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { hexOf, type Digest } from '../domain/proofs/digest.ts';
import { DOCUMENTS, type Store, type TrustedKey } from '../evidence/ports.ts';
import { readTrainingProvenance } from '../evidence/statements/provenance.ts';
import { verifyStatement } from '../evidence/statements/statement.ts';

/** What is on record of how an artifact came to be. */
export interface Lineage {
  readonly dataset: DatasetRef;
  readonly manifest: ObjectRef;
  readonly builder: string;
  /** Models that vote in the artifact, where it is not a single one. */
  readonly members?: number;
}

/** The verified provenance of an artifact; null where none is on record or none verifies. Absence is a finding, not an error. */
export async function readLineage(
  deps: { store: Store; keys: readonly TrustedKey[] },
  artifact: Digest,
): Promise<Lineage | null> {
  const envelope = await deps.store.readDocument(DOCUMENTS.provenance(hexOf(artifact)));
  if (!envelope) return null;
  const run = verifiedRun(envelope.bytes, deps.keys);
  // Provenance that verifies but stands under another artifact's name was moved there.
  if (run?.artifact !== artifact) return null;
  const { dataset, builder, members } = run;
  return { dataset, manifest: dataset.manifest, builder, ...(members !== null && { members }) };
}

function verifiedRun(
  envelope: Uint8Array,
  keys: readonly TrustedKey[],
): ReturnType<typeof readTrainingProvenance> | null {
  try {
    return readTrainingProvenance(verifyStatement(envelope, keys, 'provenance'));
  } catch {
    return null;
  }
}
