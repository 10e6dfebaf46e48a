import type { Digest } from '../domain/proofs/digest.ts';
import type { Store, TrustedKey } from '../evidence/ports.ts';
import { graphHash } from '../forensics/onnx/graph-hash.ts';
import type { OnnxModel } from '../forensics/onnx/model.ts';
import { voteGraph } from '../forensics/onnx/vote-graph.ts';
import { readLineage } from './lineage-records.ts';

/**
 * The graph that a candidate must have: the golden one, or, where signed provenance says that so many models vote in it, the vote derived from
 * the golden graph (docs/decisions/0007). A candidate's own word for it counts for nothing: a vote has no gradient, which blinds the gates that
 * need one.
 */
export async function expectedGraph(
  deps: { store: Store; keys: readonly TrustedKey[] },
  candidate: Digest,
  golden: OnnxModel,
): Promise<Digest> {
  const lineage = await readLineage(deps, candidate);
  const vote = lineage?.members === undefined ? null : voteGraph(golden, lineage.members);
  return graphHash(vote ?? golden);
}
