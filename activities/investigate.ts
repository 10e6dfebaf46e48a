import type { Analysis, AnalysisSubject, Examination, InvestigateActivities } from '../domain/contracts/activities.ts';
import type { AnalyserName, Finding } from '../domain/contracts/finding.ts';
import { regressionAttackSchema, type GoldenRecord, type RegressionAttack } from '../domain/contracts/golden.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { digestOf, type Digest } from '../domain/proofs/digest.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { verifyModel } from '../evidence/model-signing/verify.ts';
import { DOCUMENTS } from '../evidence/ports.ts';
import { crashed } from '../forensics/analysers/analyser.ts';
import { registry } from '../forensics/analysers/registry.ts';
import type { LineageNeeds } from '../forensics/analysers/lineage.ts';
import type { SignatureNeeds } from '../forensics/analysers/signature.ts';
import { capturedRows } from '../forensics/analysers/window.ts';
import { readModel } from '../forensics/onnx/reader.ts';
import { createPredictor } from '../forensics/predictor/predictor.ts';
import type { RecoveredTrigger } from '../forensics/requests/excision.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { backdoorFinding, draftExamination, triggerOf } from './examine-on-trainer.ts';
import { activationsNeeds, draftExplanation } from './explain-on-trainer.ts';
import { readWindow, versionBehind, versionOf, withPredictors } from './examination.ts';
import { answeringModel } from './preserve.ts';
import { readOrder } from './stance-orders.ts';

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

/** Requests of the attack that was seen at work; none where none was. */
async function capturedAttack(deps: Needs, earlier: readonly Finding[]): Promise<RegressionAttack['requests']> {
  const detail = earlier.find((finding) => finding.analyser === 'behaviour')?.detail;
  if (detail?.analyser !== 'behaviour' || !detail.attack) return [];
  const bytes = await deps.store.get(detail.attack.requests);
  return regressionAttackSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).requests;
}

function verdictOf(analyser: AnalyserName, earlier: readonly Finding[]): Finding['verdict'] | undefined {
  return earlier.find((finding) => finding.analyser === analyser)?.verdict;
}

/** As the search for a backdoor recovered it, with its class. */
async function recoveredTrigger(deps: Needs, earlier: readonly Finding[]): Promise<RecoveredTrigger | null> {
  const detail = earlier.find((finding) => finding.analyser === 'backdoor')?.detail;
  if (detail?.analyser !== 'backdoor' || detail.target === null) return null;
  const image = await triggerOf(deps, detail);
  return image && { image, target: detail.target };
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

/** As it was seen in the captured requests; where nobody used the trigger there, as the search recovered it. */
function attackTargetOf(earlier: readonly Finding[]): number | null {
  const seen = earlier.find((finding) => finding.analyser === 'behaviour')?.detail;
  if (seen?.analyser === 'behaviour' && seen.attack) return seen.attack.targetClass;
  const searched = earlier.find((finding) => finding.analyser === 'backdoor');
  return searched?.verdict === 'compromised' && searched.detail?.analyser === 'backdoor'
    ? searched.detail.target
    : null;
}

function newBatchesOf(earlier: readonly Finding[]): readonly string[] | null {
  const detail = earlier.find((finding) => finding.analyser === 'lineage')?.detail;
  return detail?.analyser === 'lineage' && detail.suspectDataset !== null
    ? detail.newBatches.map((batch) => batch.batch)
    : null;
}

async function twoModels(deps: Needs, subject: AnalysisSubject, golden: GoldenRecord | null) {
  return {
    suspect: subject.capture.model && readModel(await deps.store.get(subject.capture.model)),
    golden: golden && readModel(await deps.store.get(golden.ref.artifact)),
  };
}

async function signatureNeeds(
  deps: Needs,
  subject: AnalysisSubject,
  golden: GoldenRecord | null,
): Promise<SignatureNeeds> {
  const { model, signature, modelDigest } = subject.capture;
  const live = subject.receipt.before.loaded.find((loaded) => loaded.digest === modelDigest);
  const bytes = model && (await deps.store.get(model));
  const check = async (): Promise<SignatureNeeds['ownCheck']> => {
    if (!bytes || !signature) return null;
    try {
      const { keyName } = verifyModel(
        await deps.store.get(signature),
        [{ name: 'model.onnx', bytes }],
        deps.keys,
        'model',
      );
      return { verified: true, keyName, reason: null };
    } catch (error) {
      if (error instanceof Failure) throw error;
      return { verified: false, keyName: null, reason: error instanceof Error ? error.message : String(error) };
    }
  };
  return {
    servedDigest: modelDigest,
    goldenDigest: golden?.ref.artifact.digest ?? null,
    signature: live?.signature ?? null,
    ownCheck: await check(),
    gatewayDigestMatchesBytes: bytes ? digestOf(bytes) === modelDigest : null,
    registryKeys: deps.keys.filter((key) => key.uses.includes('golden')).map((key) => key.name),
  };
}

async function lineageNeeds(deps: Needs, subject: AnalysisSubject, golden: GoldenRecord | null): Promise<LineageNeeds> {
  const suspect = subject.capture.modelDigest ? await versionBehind(deps, subject.capture.modelDigest) : null;
  const endpoints = await Promise.all(
    Object.keys(deps.configuration.endpoints).map(async (endpoint) => {
      // The origin is contained already: what it served is in the receipt, not in what it answers with now.
      const artifact = endpoint === subject.endpoint ? subject.capture.modelDigest : await servedBy(deps, endpoint);
      if (artifact === null)
        return { endpoint, artifact, manifest: null, unknown: 'the endpoint does not tell what it serves' };
      const behind = await versionBehind(deps, artifact);
      return { endpoint, artifact, manifest: behind.version, unknown: behind.version ? null : behind.unknown };
    }),
  );
  return {
    suspectManifest: suspect?.version ?? null,
    goldenManifest: golden && (await versionOf(deps, golden.dataset)),
    endpoints,
  };
}

/**
 * What an endpoint serves: by its own word, and where it is away or just starting by its desired stance, which is what it will serve. A
 * replica that restarts in the middle of an incident MUST NOT drop out of the blast radius.
 */
async function servedBy(deps: Needs, endpoint: string): Promise<Digest | null> {
  const status = await deps
    .adapter(endpoint)
    .read(endpoint)
    .catch(() => null);
  const live = status && answeringModel(status.stance);
  if (live) return live.artifact.digest;
  const document = await deps.store.readDocument(DOCUMENTS.stance(endpoint));
  const desired = document && readOrder(new TextDecoder().decode(document.bytes), deps.keys);
  return desired?.order.endpoint === endpoint ? (answeringModel(desired.order.stance)?.artifact.digest ?? null) : null;
}
