import type { DatasetManifest, DatasetRef } from '../domain/contracts/dataset.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import { loggedRequestSchema, type LoggedRequest } from '../domain/contracts/gateway.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { Digest } from '../domain/proofs/digest.ts';
import { Failure } from '../domain/incident/failure.ts';
import { readManifest } from '../evidence/dataset/read.ts';
import type { DatasetVersion } from '../forensics/analysers/lineage.ts';
import { createPredictor, type Predictor } from '../forensics/predictor/predictor.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readLineage } from './lineage-records.ts';

type Needs = Pick<ActivityDependencies, 'store' | 'keys'>;

/** Runs `use` with predictors that are closed afterwards, whatever happens. */
export async function withPredictors<T>(
  models: readonly Uint8Array[],
  use: (...predictors: Predictor[]) => Promise<T>,
): Promise<T> {
  const open: Predictor[] = [];
  try {
    for (const model of models) open.push(await createPredictor(model));
    return await use(...open);
  } finally {
    await Promise.all(open.map((predictor) => predictor.close()));
  }
}

/** The captured requests. A line that is not a logged request is refused as a whole: the window's digest was checked, so the gateway wrote it so. */
export async function readWindow(deps: Needs, ref: ObjectRef): Promise<readonly LoggedRequest[]> {
  const text = new TextDecoder().decode(await deps.store.get(ref));
  return text
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line, index) => {
      const parsed = loggedRequestSchema.safeParse(JSON.parse(line));
      if (!parsed.success)
        throw new Failure('analysis/crashed', `line ${index + 1} of the request window is not a logged request`);
      return parsed.data;
    });
}

/** The verified manifest of a data set version. */
export async function versionOf(deps: Needs, ref: DatasetRef): Promise<DatasetVersion & { manifest: DatasetManifest }> {
  return { digest: ref.manifest.digest, manifest: await readManifest(deps.store, ref, deps.keys) };
}

/** The data set an artifact was trained on, by its provenance; null with a reason where nobody can say. */
export async function versionBehind(
  deps: Needs,
  artifact: Digest,
): Promise<{ version: DatasetVersion; ref: DatasetRef } | { version: null; unknown: string }> {
  const lineage = await readLineage(deps, artifact);
  if (!lineage) return { version: null, unknown: 'no provenance that verifies is on record' };
  try {
    return { version: await versionOf(deps, lineage.dataset), ref: lineage.dataset };
  } catch (error) {
    if (error instanceof Failure && error.retryable) throw error;
    return { version: null, unknown: error instanceof Error ? error.message : String(error) };
  }
}

export async function goldenOf(deps: Pick<ActivityDependencies, 'registry'>, model: string): Promise<GoldenRecord> {
  const golden = await deps.registry.latest(model);
  if (golden) return golden;
  throw new Failure('golden/missing', `no golden record of ${model} is registered`);
}
