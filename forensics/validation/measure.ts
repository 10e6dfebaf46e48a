import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Fairness, Grouping, Robustness } from '../../domain/contracts/gates.ts';
import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { RegressionAttack } from '../../domain/contracts/golden.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { tableOf, type CapturedRow } from '../analysers/window.ts';
import { evaluationOf } from '../evaluation/evaluation.ts';
import { answersTo } from '../evaluation/loss.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { flowMatrix, surenessOf, top } from '../statistics/calibration.ts';
import type { Measured } from './accuracy.ts';
import type { Answered } from './drift.ts';
import type { Grouped } from './fairness.ts';
import type { ValidationNeeds } from './gates.ts';
import { groupsOf } from './grouping.ts';
import { latenciesOf } from './latency.ts';
import { memoriesOf } from './memory.ts';
import { exposureOf } from './membership.ts';
import { partAttack, type NamedTrigger } from './parted-attack.ts';
import { replayAttack, type AttackReplay } from './replay.ts';
import { attackBoth } from './robustness.ts';
import { tryTrigger } from './trigger.ts';

/** What the two models are asked. */
export interface Material {
  /** The models' own bytes, for what a process needs of them. */
  readonly files: { readonly candidate: Uint8Array; readonly golden: Uint8Array };
  readonly holdout: {
    readonly columns: DatasetColumns;
    readonly shape: readonly number[];
    readonly classes: readonly string[];
    readonly digest: Digest;
  };
  readonly attack: RegressionAttack | null;
  readonly regressions: readonly RegressionAttack[];
  /** The trigger that the plan names; null where it names none, or one that was not read off. */
  readonly named: NamedTrigger | null;
  /** The trigger recovered from the suspect; its arrays are null where they cannot be read. */
  readonly recovered: { readonly trigger: TriggerImage | null; readonly target: number } | null;
  /** What clients sent, the attack among it. */
  readonly requests: readonly CapturedRow[];
  readonly fairness: Fairness | null;
  readonly slices: readonly Grouping[];
  readonly robustness: Robustness;
  /** What either model was trained on; null where that is not on record. */
  readonly training: { readonly candidate: DatasetColumns; readonly golden: DatasetColumns } | null;
}

export interface Models {
  readonly candidate: Predictor;
  readonly golden: Predictor;
}

type Trials = Pick<
  ValidationNeeds,
  | 'candidate'
  | 'golden'
  | 'labels'
  | 'classes'
  | 'attack'
  | 'regressions'
  | 'trigger'
  | 'requests'
  | 'fairness'
  | 'slices'
  | 'robustness'
  | 'exposure'
  | 'latencies'
  | 'memories'
>;

/** Asks both models everything that the gates weigh. `flow` counts [golden class][candidate class] over all captured requests. */
export async function measure(
  models: Models,
  material: Material,
  /** Milliseconds that only rise. */
  clock: () => number,
): Promise<Trials & { flow: readonly (readonly number[])[] }> {
  const { holdout, requests } = material;
  const answered = await answersToRequests(models, requests, holdout.shape);
  const attacking = new Set(material.attack?.requests.map((request) => request.id));
  const clean = requests.flatMap((request, row) => (attacking.has(request.id) ? [] : [row]));
  const ofClean = (answers: ArrayLike<number>) => clean.map((row) => answers[row] ?? -1);
  const grouped = (grouping: Grouping): Grouped => ({ grouping, groups: groupsOf(grouping, holdout.columns) });
  const own = await measured(models.candidate, holdout);
  const reference = await measured(models.golden, holdout);
  const onHoldout = { candidate: own.predicted, golden: reference.predicted };
  const replay = material.attack && (await replayAttack(material.attack, models.candidate, models.golden));
  return {
    candidate: own,
    golden: reference,
    labels: holdout.columns.labels,
    classes: holdout.classes,
    attack: replay && { ...replay, ...partedBy(material, answered, onHoldout) },
    regressions: await Promise.all(
      material.regressions.map((past) => replayAttack(past, models.candidate, models.golden)),
    ),
    trigger: material.recovered && (await tryTrigger(material.recovered, holdout, models)),
    requests: { candidate: ofClean(answered.candidate), golden: ofClean(answered.golden) },
    fairness: material.fairness && { ...material.fairness, attributes: material.fairness.attributes.map(grouped) },
    slices: material.slices.map(grouped),
    robustness: await attackBoth(models, holdout, material.robustness, clock),
    exposure: material.training && {
      candidate: await exposureOf(models.candidate, material.training.candidate, holdout.columns, holdout.shape),
      golden: await exposureOf(models.golden, material.training.golden, holdout.columns, holdout.shape),
    },
    latencies: await latenciesOf(models, holdout, clock),
    memories: await memoriesOf(material.files, holdout.columns.features.slice(0, holdout.columns.width), holdout.shape),
    flow: requests.length === 0 ? [] : flowMatrix(answered.golden, answered.candidate, holdout.classes.length),
  };
}

async function measured(model: Predictor, { columns, shape, classes, digest }: Material['holdout']): Promise<Measured> {
  const answers = await answersTo(model, columns, shape);
  return {
    evaluation: evaluationOf(answers, columns, classes, digest),
    predicted: answers.predicted,
    sureness: surenessOf(answers.probabilities, columns.labels),
  };
}

/** The attack told apart by the trigger that the plan names, where it names one. */
function partedBy(
  { attack, named, requests, holdout }: Material,
  answered: AnsweredRequests,
  onHoldout: Answered,
): Pick<AttackReplay, 'parted'> {
  if (!attack || !named) return {};
  const parted = partAttack({ attack, trigger: named, requests, answered, holdout: holdout.columns, onHoldout });
  return parted ? { parted } : {};
}

interface AnsweredRequests extends Answered {
  /** The golden model's for its own class. */
  readonly confidence: readonly number[];
}

/** What the repaired model would have answered, beside the golden model. */
async function answersToRequests(
  models: Models,
  requests: readonly CapturedRow[],
  shape: readonly number[],
): Promise<AnsweredRequests> {
  if (requests.length === 0) return { candidate: [], golden: [], confidence: [] };
  const table = tableOf(
    requests,
    shape.reduce((product, dim) => product * dim, 1),
  );
  const answers = async (model: Predictor) => {
    const { scores, classes } = await model.probabilities(table, requests.length, shape);
    return requests.map((_, row) => top(scores, row, classes));
  };
  const [own, reference] = [await answers(models.candidate), await answers(models.golden)];
  const classesOf = (all: typeof own) => all.map(({ index }) => index);
  return {
    candidate: classesOf(own),
    golden: classesOf(reference),
    confidence: reference.map(({ value }) => value),
  };
}
