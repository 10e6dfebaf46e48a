import type { BehaviourDetail, Finding } from '../../domain/contracts/finding.ts';
import type { RegressionAttack } from '../../domain/contracts/golden.ts';
import { classesApart, surenessShift } from '../behaviour/apart.ts';
import { agreementPerturbed } from '../behaviour/perturbed.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { flowMatrix, top } from '../statistics/calibration.ts';
import { wilson } from '../statistics/interval.ts';
import { binomialTail, fisherGreater, holm } from '../statistics/exact-tests.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { tableOf, type CapturedRow } from './window.ts';
import { percent, pValue } from './wording.ts';

export interface BehaviourNeeds {
  readonly requests: readonly CapturedRow[];
  /** null where the bytes could not be loaded. */
  readonly suspect: Predictor | null;
  readonly golden: Predictor | null;
  /** Clean records neither model was trained on (the golden record's probes or hold-out), row-major. */
  readonly probes: {
    readonly features: Float32Array;
    readonly count: number;
    /** Their classes, where they are known. */
    readonly labels?: ArrayLike<number> | null;
  };
  readonly featureShape: readonly number[];
  readonly classes: readonly string[];
}

export type AttackRequests = RegressionAttack['requests'];
/** Requests of the captured attack; the caller stores them as a RegressionAttack. */
export type BehaviourAttachments = Readonly<{ attackRequests: AttackRequests | null }>;

const asked = {
  analyser: 'behaviour',
  question: 'Does the suspect answer the captured requests as the golden model does, and where not, for whom?',
} as const;

/** Fewer requests are an anecdote, whatever their p-value. */
const MIN_ATTACK_REQUESTS = 5;
/** Family-wise error of naming an attack in a clean window, over all classes. */
const ATTACK_LEVEL = 1e-4;
/** Share of logged answers that may differ from the replay: another machine's rounding breaks ties otherwise. */
const ROUNDING_SHARE = 0.01;

/** Replays what clients sent on both models. Disagreement that gathers in one class is what a targeted attack looks like. */
export const behaviourAnalyser: Analyser<BehaviourNeeds, BehaviourAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: replay,
};

interface Answers {
  /** Row-major [count × classes]. */
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly confidence: number;
}

async function answersOf(
  model: Predictor,
  features: Float32Array,
  count: number,
  shape: readonly number[],
): Promise<Answers> {
  if (count === 0) return { scores: new Float32Array(), classes: new Int32Array(), confidence: 0 };
  const { scores, classes } = await model.probabilities(features, count, shape);
  const winning = Array.from({ length: count }, (_, row) => top(scores, row, classes));
  return {
    scores,
    classes: Int32Array.from(winning, (answer) => answer.index),
    confidence: winning.reduce((sum, answer) => sum + (Number.isFinite(answer.value) ? answer.value : 0), 0) / count,
  };
}

function nothing(reason: string): Analysis<BehaviourAttachments> {
  return { attachments: { attackRequests: null }, finish: () => inconclusive(asked, reason) };
}

async function replay(needs: BehaviourNeeds): Promise<Analysis<BehaviourAttachments>> {
  const { requests, suspect, golden, probes, featureShape } = needs;
  if (golden === null) return nothing('No golden model is there to replay the captured requests on.');
  if (suspect === null) return nothing('The suspect cannot be run here, so nothing could be replayed on it.');
  if (requests.length === 0 && probes.count === 0) return nothing('No request was captured, and there are no probes.');
  const width = featureShape.reduce((product, dim) => product * dim, 1);
  const table = tableOf(requests, width);
  const captured = {
    suspect: await answersOf(suspect, table, requests.length, featureShape),
    golden: await answersOf(golden, table, requests.length, featureShape),
  };
  const probed = {
    suspect: await answersOf(suspect, probes.features, probes.count, featureShape),
    golden: await answersOf(golden, probes.features, probes.count, featureShape),
  };

  const size = needs.classes.length;
  const flow = flowMatrix(captured.golden.classes, captured.suspect.classes, size);
  const attack = findAttack(flow, flowMatrix(probed.golden.classes, probed.suspect.classes, size));
  const attackRequests = attack
    ? requests.flatMap(({ id, input }, row) => {
        const attackerClass = captured.suspect.classes[row] ?? -1;
        const goldenClass = captured.golden.classes[row] ?? -1;
        return attackerClass === attack.targetClass && goldenClass !== attackerClass
          ? [{ id, input: [...input], attackerClass, goldenClass }]
          : [];
      })
    : null;
  const unexplained = requests.filter(
    (request, row) => request.answered !== null && request.answered !== captured.suspect.classes[row],
  ).length;
  const probeAgreement = agreementOf(flowMatrix(probed.golden.classes, probed.suspect.classes, size), probes.count);
  const labels = probes.labels ?? null;
  const onClean = labels && { suspect: probed.suspect.scores, golden: probed.golden.scores, labels };
  const measured = {
    analyser: 'behaviour',
    requests: requests.length,
    agreement: agreementOf(flow, requests.length),
    probeAgreement,
    confidenceSuspect: captured.suspect.confidence,
    confidenceGolden: captured.golden.confidence,
    flow,
    classes: needs.classes,
    perturbed: await agreementPerturbed({ suspect, golden }, probes, featureShape, probeAgreement.value),
    sureness: onClean && probes.count > 0 ? surenessShift(onClean) : null,
    classesApart: labels
      ? classesApart({ suspect: probed.suspect.classes, golden: probed.golden.classes }, labels, size)
      : [],
  } as const;
  return {
    attachments: { attackRequests },
    finish: (filed) => {
      const detail: BehaviourDetail = {
        ...measured,
        attack: attack && { ...attack, requests: stored(filed.attackRequests, 'attackRequests') },
      };
      return { ...asked, confidence: null, ...judge(detail, unexplained), detail, failure: null };
    },
  };
}

function agreementOf(flow: readonly (readonly number[])[], n: number) {
  return wilson(
    flow.reduce((sum, row, index) => sum + (row[index] ?? 0), 0),
    n,
  );
}

/** Requests per class on which the suspect leaves the golden answer for that class. */
function inflow(flow: readonly (readonly number[])[]): readonly number[] {
  return flow.map((_, target) =>
    flow.reduce((sum, row, from) => (from === target ? sum : sum + (row[target] ?? 0)), 0),
  );
}

function total(flow: readonly (readonly number[])[]): number {
  return flow.reduce((sum, row) => sum + row.reduce((inner, value) => inner + value, 0), 0);
}

/**
 * The class that captured requests are drawn to, if any. Per class two one-sided exact tests, of which the weaker counts: Fisher's against what
 * flows into that class on clean probes (which knows how few probes there are; a binomial test against the estimated rate gave 23 times the
 * stated false alarms), and a binomial one against the mean flow into the other classes on the same requests, so that plain drift, which
 * spreads, is no attack. Holm over the classes.
 */
export function findAttack(
  captured: readonly (readonly number[])[],
  probed: readonly (readonly number[])[],
): { targetClass: number; count: number; pValue: number } | null {
  const n = total(captured);
  const flows = inflow(captured);
  const clean = inflow(probed);
  const drawn = flows.reduce((sum, count) => sum + count, 0);
  const raw = flows.map((count, target) => {
    const onProbes = fisherGreater({ marked: count, n }, { marked: clean[target] ?? 0, n: total(probed) });
    const elsewhere = n === 0 ? 0 : (drawn - count) / Math.max(1, flows.length - 1) / n;
    return Math.max(onProbes, binomialTail(count, n, elsewhere));
  });
  const adjusted = holm(raw);
  let best: { targetClass: number; count: number; pValue: number } | null = null;
  flows.forEach((count, targetClass) => {
    const p = adjusted[targetClass] ?? 1;
    if (count >= MIN_ATTACK_REQUESTS && p < ATTACK_LEVEL && (best === null || p < best.pValue))
      best = { targetClass, count, pValue: p };
  });
  return best;
}

function judge(detail: BehaviourDetail, unexplained: number): Pick<Finding, 'verdict' | 'summary'> {
  const { attack, requests, agreement, probeAgreement, classes } = detail;
  const captured = requests > 0 ? `${percent(agreement.value)} of ${requests} captured requests and ` : '';
  const agrees = `The suspect agrees with the golden model on ${captured}${percent(probeAgreement.value)} of ${probeAgreement.n} clean probes.`;
  if (attack)
    return {
      verdict: 'compromised',
      summary: `${attack.count} captured requests that the golden model answers otherwise are drawn to class ${classes[attack.targetClass] ?? attack.targetClass} (${pValue(attack.pValue)}). ${agrees}`,
    };
  if (unexplained > requests * ROUNDING_SHARE)
    return {
      verdict: 'suspicious',
      summary: `${unexplained} of ${requests} logged answers are not what the captured model answers to the same input. ${agrees}`,
    };
  if (requests === 0) return { verdict: 'inconclusive', summary: `No request was captured. ${agrees}` };
  return agreement.high < probeAgreement.low
    ? { verdict: 'suspicious', summary: `${agrees} It strays on live traffic, towards no single class.` }
    : { verdict: 'clean', summary: `${agrees} No class draws requests away from the golden answer.` };
}
