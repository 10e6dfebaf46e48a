import type { AnalysisSubject } from '../domain/contracts/activities.ts';
import type { DatasetRef } from '../domain/contracts/dataset.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import type { KnownTrigger } from '../domain/contracts/plan.ts';
import { Failure } from '../domain/incident/failure.ts';
import { NOTHING_BESIDE, type Circumstances } from '../domain/incident/playbooks.ts';
import { gateSettingsOf } from '../domain/incident/thresholds.ts';
import { readDataset, readManifest } from '../evidence/dataset/read.ts';
import { answersTo } from '../forensics/evaluation/loss.ts';
import { graphHash } from '../forensics/onnx/graph-hash.ts';
import { readModel } from '../forensics/onnx/reader.ts';
import type { Predictor } from '../forensics/predictor/predictor.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { withPredictors } from './examination.ts';
import { knownTrigger } from './known-trigger.ts';
import { readLineage } from './lineage-records.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'store' | 'keys'>;

/** What was looked at before a plan is drawn up, and what it needs of it. */
export interface Looked {
  readonly circumstances: Circumstances;
  /** The data set that the suspect was trained on, by its provenance. */
  readonly dataset: DatasetRef | null;
  readonly trigger: KnownTrigger | null;
}

/** What a repair could be made of. A suspect that cannot be run is not worth repairing: what hangs on it stays unknown. */
export async function circumstancesOf(
  deps: Needs,
  subject: AnalysisSubject,
  golden: GoldenRecord,
  findings: readonly Finding[],
): Promise<Looked> {
  const lineage = subject.capture.modelDigest === null ? null : await readLineage(deps, subject.capture.modelDigest);
  const known = { ...NOTHING_BESIDE, dataKnown: lineage !== null };
  const unseen: Looked = { circumstances: known, dataset: lineage?.dataset ?? null, trigger: null };
  const alarming = findings.some(({ verdict }) => verdict === 'compromised' || verdict === 'suspicious');
  if (!subject.capture.model || !alarming) return unseen;
  const bytes = {
    suspect: await deps.store.get(subject.capture.model),
    golden: await deps.store.get(golden.ref.artifact),
  };
  try {
    return await withPredictors([bytes.suspect, bytes.golden], async (suspect, reference) => {
      if (!suspect || !reference) return unseen;
      const trigger = await knownTrigger(deps, subject, golden, findings, { suspect, golden: reference });
      return {
        ...unseen,
        trigger,
        circumstances: {
          ...known,
          triggerKnown: trigger !== null,
          sameGraph: graphHash(readModel(bytes.suspect)) === graphHash(readModel(bytes.golden)),
          cleanRecords: (await readManifest(deps.store, golden.dataset, deps.keys)).records,
          lostByRestoringPp: await leadPp(deps, golden, suspect, reference),
          maxAccuracyDropPp: gateSettingsOf(deps.configuration, subject.model)?.thresholds.maxAccuracyDropPp ?? 0,
        },
      };
    });
  } catch (error) {
    // What could not be read may be read later. What does not verify teaches nothing, and a suspect that cannot be run is not repaired.
    if (error instanceof Failure && error.retryable) throw error;
    return unseen;
  }
}

/** Points of accuracy that the suspect is ahead of the golden model on the hold-out. */
async function leadPp(deps: Needs, golden: GoldenRecord, suspect: Predictor, reference: Predictor): Promise<number> {
  const { columns, manifest } = await readDataset(deps.store, golden.holdout, deps.keys);
  const right = async (model: Predictor): Promise<number> => {
    const { predicted } = await answersTo(model, columns, manifest.featureShape);
    return columns.labels.filter((label, row) => predicted[row] === label).length;
  };
  return (100 * ((await right(suspect)) - (await right(reference)))) / columns.count;
}
