import type { DatasetManifest, Shard } from '../../domain/contracts/dataset.ts';
import type { Finding, LineageDetail } from '../../domain/contracts/finding.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';
import { counted, listed } from './wording.ts';

/** A data set version: its manifest and the manifest's digest. */
export interface DatasetVersion {
  readonly digest: Digest;
  readonly manifest: DatasetManifest;
}

export interface LineageNeeds {
  /** What the suspect was trained on, from its provenance; null where none is on record. */
  readonly suspectManifest: DatasetVersion | null;
  readonly goldenManifest: DatasetVersion | null;
  /** Every configured endpoint with what it serves. `unknown` says why its data set is not known. */
  readonly endpoints: readonly {
    readonly endpoint: string;
    readonly artifact: Digest | null;
    readonly manifest: DatasetVersion | null;
    readonly unknown: string | null;
  }[];
}

const asked = {
  analyser: 'lineage',
  question: 'Which data went into the suspect and not into the golden model, and where else is it?',
} as const;

/** Blast radius: which batches are new, and which endpoints descend from them. */
export const lineageAnalyser: Analyser<LineageNeeds> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(trace(needs)),
};

/**
 * Shards whose bytes the golden data set does not have. By digest and not by name: a batch that was changed after the golden model was
 * trained is new, whatever it calls itself.
 */
export function newShards(manifest: DatasetManifest, golden: DatasetManifest): readonly Shard[] {
  const known = new Set(golden.shards.map((shard) => shard.object.digest));
  return manifest.shards.filter((shard) => !known.has(shard.object.digest));
}

function trace({ suspectManifest: suspect, goldenManifest: golden, endpoints }: LineageNeeds): Finding {
  if (golden === null) return inconclusive(asked, 'The data set of the golden model is not known.');
  const added = suspect === null ? [] : newShards(suspect.manifest, golden.manifest);
  const missing = suspect === null ? [] : newShards(golden.manifest, suspect.manifest);
  const detail: LineageDetail = {
    analyser: 'lineage',
    suspectDataset: suspect?.digest ?? null,
    goldenDataset: golden.digest,
    newBatches: added.map(({ batch, source, records, ingestedAt }) => ({ batch, source, records, ingestedAt })),
    missingBatches: missing.map((shard) => shard.batch),
    endpoints: endpoints.map(({ endpoint, artifact, manifest, unknown }) => ({
      endpoint,
      artifact,
      dataset: manifest?.digest ?? null,
      newBatches: manifest === null ? [] : newShards(manifest.manifest, golden.manifest).map((shard) => shard.batch),
      unknown: manifest === null ? (unknown ?? 'no provenance is on record') : unknown,
    })),
  };
  const { verdict, summary } = judge(suspect, golden, added, detail);
  return { ...asked, verdict, confidence: null, summary, detail, failure: null };
}

function judge(
  suspect: DatasetVersion | null,
  golden: DatasetVersion,
  added: readonly Shard[],
  detail: LineageDetail,
): Pick<Finding, 'verdict' | 'summary'> {
  if (suspect === null)
    return { verdict: 'inconclusive', summary: 'No provenance says what the suspect was trained on.' };
  const dropped = golden.manifest.exclusions;
  if (dropped !== null && suspect.manifest.exclusions?.object.digest !== dropped.object.digest)
    return {
      verdict: 'suspicious',
      summary: `The suspect's data set does not leave out the ${counted(dropped.count, 'record')} that the golden one excludes.`,
    };
  if (added.length === 0)
    return {
      verdict: 'clean',
      summary: 'The suspect was trained on no data that the golden model was not trained on.',
    };
  const known = new Set(golden.manifest.shards.map((shard) => shard.source));
  const strangers = [...new Set(added.map((shard) => shard.source).filter((source) => !known.has(source)))];
  const records = added.reduce((sum, shard) => sum + shard.records, 0);
  const reached = detail.endpoints.filter((endpoint) => endpoint.newBatches.length > 0).length;
  const what = `${counted(added.length, 'batch', 'batches')} (${counted(records, 'record')}) went into the suspect and not into the golden model: ${listed(added.map((shard) => shard.batch))}; ${counted(reached, 'endpoint descends', 'endpoints descend')} from new data.`;
  return strangers.length > 0
    ? {
        verdict: 'suspicious',
        summary: `${what} The golden model never saw ${listed(strangers.map((source) => `source ${source}`))}.`,
      }
    : { verdict: 'inconclusive', summary: what };
}
