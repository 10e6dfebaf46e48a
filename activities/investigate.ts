import type { Analysis, AnalysisSubject, Examination, InvestigateActivities } from '../domain/contracts/activities.ts';
import type { AnalyserName, Finding } from '../domain/contracts/finding.ts';
import { type GoldenRecord, type RegressionAttack } from '../domain/contracts/golden.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { crashed } from '../forensics/analysers/analyser.ts';
import { registry } from '../forensics/analysers/registry.ts';
import { capturedRows } from '../forensics/analysers/window.ts';
import { readModel } from '../forensics/onnx/reader.ts';
import { createPredictor } from '../forensics/predictor/predictor.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { attackTargetOf, capturedAttack, newBatchesOf, recoveredTrigger, verdictOf } from './earlier-findings.ts';
import { backdoorFinding, draftExamination } from './examine-on-trainer.ts';
import { activationsNeeds, draftExplanation } from './explain-on-trainer.ts';
import { readWindow, versionBehind, withPredictors } from './examination.ts';
import { lineageNeeds, signatureNeeds } from './served-models.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'registry' | 'adapter' | 'signers'>;

/** Where lazaret.yaml names no budget for the model. */
const DEFAULT_FALSE_ALARM_BUDGET = 0.01;

/** Fetches what each analyser needs, runs it, and stores what it attaches. What cannot be had is given as null: the analyser says so. */
export function createInvestigateActivities(deps: Needs): InvestigateActivities {
  const json = (value: unknown, name: string): Promise<ObjectRef> =>
    deps.store.put('evidence', new TextEncoder().encode(canonicalJson(value)), { mediaType: 'application/json', name });

  const ask: Record<
    AnalyserName,
    (
      subject: AnalysisSubject,
      golden: GoldenRecord | null,
      earlier: readonly Finding[],
      examination: Examination | undefined,
    ) => Promise<Finding>
  > = {
    signature: async (subject, golden) =>
      (await registry.signature.run(await signatureNeeds(deps, subject, golden))).finish({}),

    lineage: async (subject, golden) =>
      (await registry.lineage.run(await lineageNeeds(deps, subject, golden))).finish({}),

    graph: async (subject, golden) => (await registry.graph.run(await twoModels(deps, subject, golden))).finish({}),

    structure: async (subject, golden) => {
      const suspect = subject.capture.model && (await deps.store.get(subject.capture.model));
      const approved = golden && (await deps.store.get(golden.ref.artifact));
      // A capture is one file: whatever a model reads beside itself was not captured.
      return (await registry.structure.run({ suspect, golden: approved, externalFiles: null })).finish({});
    },

    weights: async (subject, golden) => (await registry.weights.run(await twoModels(deps, subject, golden))).finish({}),

    behaviour: async (subject, golden) => {
      const suspect = subject.capture.model;
      if (!golden || !suspect) {
        const analysis = await registry.behaviour.run({
          requests: [],
          suspect: null,
          golden: null,
          probes: NO_PROBES,
          featureShape: [],
          classes: [],
        });
        return analysis.finish({ attackRequests: null });
      }
      const { manifest, columns } = await readDataset(deps.store, golden.holdout, deps.keys);
      const window = await readWindow(deps, subject.capture.window);
      return await withPredictors(
        [await deps.store.get(suspect), await deps.store.get(golden.ref.artifact)],
        async (own, reference) => {
          const analysis = await registry.behaviour.run({
            requests: capturedRows(window, columns.width, subject.capture.modelDigest),
            suspect: own ?? null,
            golden: reference ?? null,
            probes: { features: columns.features, count: columns.count, labels: columns.labels },
            featureShape: manifest.featureShape,
            classes: manifest.classes,
          });
          const { attackRequests } = analysis.attachments;
          const attack: RegressionAttack | null = attackRequests && {
            schema: 'lazaret.regression-attack/v1',
            incident: subject.incident,
            featureShape: manifest.featureShape,
            requests: [...attackRequests],
          };
          return analysis.finish({ attackRequests: attack && (await json(attack, 'captured-attack.json')) });
        },
      );
    },

    backdoor: async (_subject, golden, _earlier, examination) => await backdoorFinding(deps, golden, examination),

    duplicates: async (subject) => {
      const dataset = await trainedOn(deps, subject);
      const analysis = await registry.duplicates.run({
        records: dataset?.columns ?? null,
        classes: dataset?.manifest.classes ?? [],
      });
      const { pairs } = analysis.attachments;
      return analysis.finish({ pairs: pairs && (await json(pairs, 'duplicate-pairs.json')) });
    },

    poison: async (subject) => {
      const dataset = await trainedOn(deps, subject);
      const model = subject.capture.model && (await deps.store.get(subject.capture.model));
      return await withPredictors(model ? [model] : [], async (suspect) => {
        const analysis = await registry.poison.run({
          records: dataset?.columns ?? null,
          suspect: suspect ?? null,
          featureShape: dataset?.manifest.featureShape ?? [],
          classes: dataset?.manifest.classes ?? [],
          falseAlarmBudget: budgetOf(deps, subject),
        });
        const { marked } = analysis.attachments;
        return analysis.finish({ marked: marked && (await json(marked, 'poison-marks.json')) });
      });
    },

    extraction: async (subject, golden) => {
      const model = subject.capture.model && (await deps.store.get(subject.capture.model));
      const holdout = golden && (await readDataset(deps.store, golden.holdout, deps.keys));
      const window = await readWindow(deps, subject.capture.window);
      return await withPredictors(model ? [model] : [], async (served) => {
        const analysis = await registry.extraction.run({
          window: holdout ? window : [],
          model: subject.capture.modelDigest,
          served: served ?? null,
          holdout: holdout && { features: holdout.columns.features, count: holdout.columns.count },
          featureShape: holdout?.manifest.featureShape ?? [],
          classes: holdout?.manifest.classes ?? [],
        });
        return analysis.finish({});
      });
    },

    requests: async (subject, golden, earlier) => {
      const model = subject.capture.model && (await deps.store.get(subject.capture.model));
      const holdout = golden && (await readDataset(deps.store, golden.holdout, deps.keys));
      const window = await readWindow(deps, subject.capture.window);
      return await withPredictors(model ? [model] : [], async (suspect) => {
        const analysis = await registry.requests.run({
          requests: holdout ? capturedRows(window, holdout.columns.width, subject.capture.modelDigest) : [],
          suspect: suspect ?? null,
          probes: holdout && { features: holdout.columns.features, count: holdout.columns.count },
          trigger: await recoveredTrigger(deps, earlier),
          featureShape: holdout?.manifest.featureShape ?? [],
          classes: holdout?.manifest.classes ?? [],
          falseAlarmBudget: budgetOf(deps, subject),
        });
        const { flagged } = analysis.attachments;
        return analysis.finish({ flagged: flagged && (await json(flagged, 'flagged-requests.json')) });
      });
    },

    activations: async (subject, golden, _earlier, examination) => {
      const trained = await trainedOn(deps, subject);
      const analysis = await registry.activations.run({
        ...(await activationsNeeds(deps, examination)),
        records: trained?.columns ?? null,
        classes: golden ? (await readDataset(deps.store, golden.holdout, deps.keys)).manifest.classes : [],
        falseAlarmBudget: budgetOf(deps, subject),
      });
      const { pulling } = analysis.attachments;
      return analysis.finish({ pulling: pulling && (await json(pulling, 'pulling-records.json')) });
    },

    'training-records': async (subject, golden, earlier) => {
      const records = await trainedOn(deps, subject);
      const budget = budgetOf(deps, subject);
      if (!golden) {
        const analysis = await registry['training-records'].run({ ...NO_RECORDS, falseAlarmBudget: budget });
        return analysis.finish({ taintedIds: null, taint: null });
      }
      const holdout = await readDataset(deps.store, golden.holdout, deps.keys);
      const trigger = verdictOf('backdoor', earlier) === 'compromised' ? await recoveredTrigger(deps, earlier) : null;
      const model = trigger && subject.capture.model && (await deps.store.get(subject.capture.model));
      // A suspect that cannot be run MUST NOT keep the golden model from judging the records.
      const suspect = model && (await createPredictor(model).catch(() => null));
      return await withPredictors([await deps.store.get(golden.ref.artifact)], async (reference) => {
        const analysis = await registry['training-records'].run({
          records: records?.columns ?? null,
          golden: reference ?? null,
          suspect,
          captured: await capturedAttack(deps, earlier),
          trigger,
          holdout: holdout.columns,
          featureShape: holdout.manifest.featureShape,
          classes: holdout.manifest.classes,
          attackTarget: attackTargetOf(earlier),
          newBatches: newBatchesOf(earlier),
          falseAlarmBudget: budget,
        });
        const { taintedIds, taint } = analysis.attachments;
        return analysis.finish({
          taintedIds: taintedIds && (await json(taintedIds, 'tainted-records.json')),
          taint: taint && (await json(taint, 'record-taint.json')),
        });
      }).finally(async () => await suspect?.close());
    },
  };

  return {
    draftExamination: async ({ subject }) => await draftExamination(deps, subject),
    draftExplanation: async ({ subject }) => await draftExplanation(deps, subject),
    analyse: async ({ analyser, subject, earlier, examination }): Promise<Analysis> => {
      const own = async (golden: GoldenRecord | null): Promise<Finding> =>
        await ask[analyser](subject, golden, earlier, examination);
      const finding = await answer(own, analyser, subject, deps);
      return { finding, record: await json(finding, `finding-${analyser}.json`) };
    },
  };
}

/** What the suspect was trained on; null where its provenance does not say. */
async function trainedOn(deps: Needs, subject: AnalysisSubject) {
  const artifact = subject.capture.modelDigest;
  const behind = artifact && (await versionBehind(deps, artifact));
  return behind && behind.version ? await readDataset(deps.store, behind.ref, deps.keys) : null;
}

function budgetOf(deps: Needs, subject: AnalysisSubject): number {
  return deps.configuration.models[subject.model]?.taintFalseAlarmBudget ?? DEFAULT_FALSE_ALARM_BUDGET;
}

/** A crash is a finding; storage that is away is not: the step is tried again. */
async function answer(
  ask: (golden: GoldenRecord | null) => Promise<Finding>,
  analyser: AnalyserName,
  subject: AnalysisSubject,
  deps: Needs,
): Promise<Finding> {
  try {
    return await ask(await deps.registry.latest(subject.model));
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith('storage/')) throw error;
    return crashed(analyser, registry[analyser].question, error);
  }
}

const NO_PROBES = { features: new Float32Array(), count: 0 } as const;
const NO_RECORDS = {
  records: null,
  golden: null,
  holdout: null,
  featureShape: [],
  classes: [],
  attackTarget: null,
  newBatches: null,
} as const;

async function twoModels(deps: Needs, subject: AnalysisSubject, golden: GoldenRecord | null) {
  return {
    suspect: subject.capture.model && readModel(await deps.store.get(subject.capture.model)),
    golden: golden && readModel(await deps.store.get(golden.ref.artifact)),
  };
}
