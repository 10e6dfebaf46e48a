import type { DatasetColumns } from '../domain/contracts/dataset.ts';
import { regressionAttackSchema, type GoldenRecord, type RegressionAttack } from '../domain/contracts/golden.ts';
import { triggerImageSchema, type TriggerImage } from '../domain/contracts/examination.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { ValidateActivities } from '../domain/contracts/activities.ts';
import type { KnownTrigger, ValidationReport } from '../domain/contracts/plan.ts';
import { Failure } from '../domain/incident/failure.ts';
import { gateSettingsOf } from '../domain/incident/thresholds.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { capturedRows } from '../forensics/analysers/window.ts';
import { graphHash } from '../forensics/onnx/graph-hash.ts';
import { readModel } from '../forensics/onnx/reader.ts';
import { weightsOf } from '../forensics/onnx/weights.ts';
import { validate } from '../forensics/validation/gates.ts';
import { measure } from '../forensics/validation/measure.ts';
import type { NamedTrigger } from '../forensics/validation/parted-attack.ts';
import { fireSignatureControl } from './controls.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { expectedGraph } from './expected-graph.ts';
import { goldenOf, readWindow, versionBehind, withPredictors } from './examination.ts';
import { readSuite } from './learn.ts';
import { createTrialActivities } from './trials.ts';

type Needs = Pick<
  ActivityDependencies,
  'configuration' | 'keys' | 'store' | 'registry' | 'adapter' | 'now' | 'signers'
>;

export function createValidateActivities(deps: Needs): ValidateActivities {
  return {
    ...createTrialActivities(deps),
    validateCandidate: async ({ incident, model, candidate, findings, capture, trigger }) => {
      const thresholds = gateSettingsOf(deps.configuration, model)?.thresholds;
      const family = deps.configuration.models[model];
      if (!family || !thresholds) throw new Failure('internal/error', `lazaret.yaml declares no model "${model}"`);
      const golden = await goldenOf(deps, model);
      // First, because it is quick and an endpoint that is away just now ends the try.
      const control = await fireSignatureControl(deps, { incident, endpoint: capture.endpoint, golden: golden.ref });
      const bytes = { candidate: await deps.store.get(candidate), golden: await deps.store.get(golden.ref.artifact) };
      const holdout = await readDataset(deps.store, golden.holdout, deps.keys);
      const attack = await capturedAttack(deps, findings);
      const past = await pastAttacks(deps, model);
      const recovered = await recoveredTrigger(deps, findings);
      const named = await namedTrigger(deps, trigger ?? null);
      const window = await readWindow(deps, capture.window);
      const training = await trainingOf(deps, golden, candidate);
      const parsed = { candidate: readModel(bytes.candidate), golden: readModel(bytes.golden) };

      const { columns, manifest } = holdout;
      const measured = await withPredictors([bytes.candidate, bytes.golden], async (own, reference) => {
        if (!own || !reference) throw new Failure('internal/error', 'two models were asked for');
        return await measure(
          { candidate: own, golden: reference },
          {
            files: bytes,
            holdout: {
              columns,
              shape: manifest.featureShape,
              classes: manifest.classes,
              digest: golden.holdout.manifest.digest,
            },
            attack,
            regressions: past,
            named,
            recovered,
            requests: capturedRows(window, columns.width, null),
            fairness: family.fairness ?? null,
            slices: family.slices,
            robustness: family.robustness,
            training,
          },
          () => performance.now(),
        );
      });

      const { gates, verdict, figures } = validate({
        ...measured,
        controls: {
          gates: 'gate' in control ? [control.gate] : [],
          figures: 'figure' in control ? [control.figure] : [],
        },
        thresholds,
        graphs: {
          candidate: graphHash(parsed.candidate),
          golden: await expectedGraph(deps, candidate.digest, parsed.golden),
        },
        nonFiniteWeights: weightsOf(parsed.candidate).reduce(
          (sum, weight) => sum + weight.values.filter((value) => !Number.isFinite(value)).length,
          0,
        ),
      });
      const report: ValidationReport = {
        schema: 'lazaret.validation/v1',
        incident,
        candidate,
        golden: golden.ref.artifact.digest,
        holdout: golden.holdout.manifest.digest,
        gates,
        verdict,
        figures,
        flow: measured.flow,
      };
      const record = await deps.store.put('evidence', new TextEncoder().encode(canonicalJson(report)), {
        mediaType: 'application/json',
        name: 'validation.json',
      });
      return { report, record };
    },
  };
}

async function readAttack(deps: Needs, ref: ObjectRef): Promise<RegressionAttack> {
  return regressionAttackSchema.parse(JSON.parse(new TextDecoder().decode(await deps.store.get(ref))));
}

async function capturedAttack(deps: Needs, findings: readonly Finding[]): Promise<RegressionAttack | null> {
  const detail = findings.find((finding) => finding.analyser === 'behaviour')?.detail;
  return detail?.analyser === 'behaviour' && detail.attack ? await readAttack(deps, detail.attack.requests) : null;
}

/**
 * The trigger that the search recovered from the suspect; null where there is none, or where it is no more than what honest models yield to.
 * One that is on record and cannot be read comes back without its arrays, so that its gate stays undecided.
 */
async function recoveredTrigger(
  deps: Needs,
  findings: readonly Finding[],
): Promise<{ trigger: TriggerImage | null; target: number } | null> {
  const found = findings.find((finding) => finding.analyser === 'backdoor');
  if (found?.detail?.analyser !== 'backdoor' || (found.verdict !== 'compromised' && found.verdict !== 'suspicious'))
    return null;
  const { trigger, target } = found.detail;
  if (trigger === null || target === null) return null;
  const parsed = triggerImageSchema.safeParse(JSON.parse(new TextDecoder().decode(await deps.store.get(trigger))));
  return { trigger: parsed.success ? parsed.data : null, target };
}

/**
 * The plan's trigger where it was read off, cell by cell, so that a request is seen to bear it. What the search recovered is no such picture,
 * and one that cannot be read tells nothing apart: the attack is then judged as a whole.
 */
async function namedTrigger(deps: Needs, trigger: KnownTrigger | null): Promise<NamedTrigger | null> {
  if (trigger === null || trigger.source === 'search') return null;
  const image = triggerImageSchema.safeParse(JSON.parse(new TextDecoder().decode(await deps.store.get(trigger.image))));
  return image.success ? { image: image.data, target: trigger.target } : null;
}

/** What candidate and golden model were trained on; null where the candidate's provenance does not say so. */
async function trainingOf(
  deps: Needs,
  golden: GoldenRecord,
  candidate: ObjectRef,
): Promise<{ candidate: DatasetColumns; golden: DatasetColumns } | null> {
  const own = await readDataset(deps.store, golden.dataset, deps.keys);
  if (candidate.digest === golden.ref.artifact.digest) return { candidate: own.columns, golden: own.columns };
  const behind = await versionBehind(deps, candidate.digest);
  if (behind.version === null) return null;
  const trainedOn = await readDataset(deps.store, behind.ref, deps.keys);
  return { candidate: trainedOn.columns, golden: own.columns };
}

async function pastAttacks(deps: Needs, model: string): Promise<readonly RegressionAttack[]> {
  const { suite } = await readSuite(deps.store, model);
  return await Promise.all(suite.map((ref) => readAttack(deps, ref)));
}
