import type { Evaluation } from '../../domain/contracts/golden.ts';
import type { GateResult, GateVerdict } from '../../domain/contracts/plan.ts';
import type { Thresholds } from '../../domain/incident/thresholds.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { newcombe, newcombePaired, wilson } from '../statistics/interval.ts';
import { MISSING, pp, ROUNDING, unmeasured } from './gate.ts';
import type { AttackReplay } from './replay.ts';
import { triggerGate, type TriggerTrial } from './trigger.ts';

/** A model's figures on the hold-out, with its answer to every record of it. */
export interface Measured {
  readonly evaluation: Evaluation;
  readonly predicted: ArrayLike<number>;
}

export interface ValidationNeeds {
  /** null where the candidate could not be run. */
  readonly candidate: Measured | null;
  readonly golden: Measured | null;
  /** Labels of the hold-out, in the order of the answers. */
  readonly labels: ArrayLike<number>;
  readonly thresholds: Thresholds;
  readonly graphs: { readonly candidate: Digest | null; readonly golden: Digest | null };
  /** Float weights of the candidate that are not numbers; null where it could not be read. */
  readonly nonFiniteWeights: number | null;
  /** The attack of this incident; null where none was captured (then there is none to withstand). */
  readonly attack: AttackReplay | null;
  readonly regressions: readonly AttackReplay[];
  /** Absent where no trigger was recovered from the suspect. */
  readonly trigger: TriggerTrial | null;
}

/** Gates in the order of the report. Pure: everything was measured before. A gate that cannot be measured never passes. */
export function validate(needs: ValidationNeeds): { gates: readonly GateResult[]; verdict: GateVerdict } {
  const gates = [
    accuracyGate(needs),
    recallGate(needs),
    calibrationGate(needs),
    agreementGate(needs),
    ...(needs.attack ? [attackGate('captured-attack', 'Captured attack fails', needs.attack, needs)] : []),
    ...needs.regressions.map((past) =>
      attackGate(`regression:${past.incident}`, `Attack of ${past.incident} fails`, past, needs),
    ),
    ...(needs.trigger ? [triggerGate(needs.trigger, needs.thresholds.maxTriggerGain)] : []),
    graphGate(needs),
    weightsGate(needs),
  ];
  return { gates, verdict: overall(gates) };
}

/** One failure fails all; without a failure, one gate that could not be measured leaves all undecided. */
export function overall(gates: readonly GateResult[]): GateVerdict {
  if (gates.some((gate) => gate.verdict === 'fail')) return 'fail';
  return gates.length === 0 || gates.some((gate) => gate.verdict === 'inconclusive') ? 'inconclusive' : 'pass';
}

/** Drop on the same records, so the pairs count: both models' mistakes on hard records cancel. */
function accuracyGate({ candidate, golden, labels, thresholds }: ValidationNeeds): GateResult {
  const about = {
    id: 'accuracy',
    title: 'Accuracy on the hold-out',
    threshold: `at most ${thresholds.maxAccuracyDropPp} percentage points below the golden model`,
  };
  if (!candidate || !golden || labels.length === 0) return unmeasured(about, MISSING);
  const pairs = { both: 0, first: 0, second: 0, neither: 0 };
  for (let row = 0; row < labels.length; row++) {
    const first = golden.predicted[row] === labels[row];
    const second = candidate.predicted[row] === labels[row];
    pairs[first ? (second ? 'both' : 'first') : second ? 'second' : 'neither']++;
  }
  const drop = newcombePaired(pairs);
  return {
    ...about,
    verdict: drop.value * 100 <= thresholds.maxAccuracyDropPp + ROUNDING ? 'pass' : 'fail',
    figure: candidate.evaluation.accuracy,
    golden: golden.evaluation.accuracy,
    reason: `The drop is ${pp(drop.value)} (95 % interval ${pp(drop.low)} to ${pp(drop.high)}, paired, ${drop.n} records).`,
  };
}

function recallGate({ candidate, golden, thresholds }: ValidationNeeds): GateResult {
  const about = {
    id: 'class-recall',
    title: 'Recall of the worst class',
    threshold: `no class more than ${thresholds.maxClassRecallDropPp} percentage points below the golden model`,
  };
  if (!candidate || !golden) return unmeasured(about, MISSING);
  const drops = candidate.evaluation.perClass.flatMap((own) => {
    const reference = golden.evaluation.perClass.find((entry) => entry.class === own.class);
    if (!reference || own.recall.n === 0) return [];
    const counts = ({ value, n }: { value: number; n: number }) => ({ successes: Math.round(value * n), n });
    return [{ class: own.class, own, reference, drop: newcombe(counts(reference.recall), counts(own.recall)) }];
  });
  const worst = drops.sort((a, b) => b.drop.value - a.drop.value)[0];
  if (!worst) return unmeasured(about, 'No class has records in the hold-out.');
  return {
    ...about,
    verdict: worst.drop.value * 100 <= thresholds.maxClassRecallDropPp + ROUNDING ? 'pass' : 'fail',
    figure: worst.own.recall,
    golden: worst.reference.recall,
    reason: `Class ${worst.class} changes most: the drop is ${pp(worst.drop.value)} (95 % interval ${pp(worst.drop.low)} to ${pp(worst.drop.high)}).`,
  };
}

/** A repaired model may be this much worse calibrated than the golden one, even where that one is above the threshold itself. */
const ECE_ALLOWANCE = 0.02;

function calibrationGate({ candidate, golden, thresholds }: ValidationNeeds): GateResult {
  const allowed = Math.max(thresholds.maxEce, (golden?.evaluation.ece ?? 0) + ECE_ALLOWANCE);
  const about = {
    id: 'calibration',
    title: 'Expected calibration error',
    threshold: `at most ${allowed.toFixed(3)} (${thresholds.maxEce}, or the golden model's plus ${ECE_ALLOWANCE} if higher)`,
  };
  if (!candidate || !golden) return unmeasured(about, MISSING);
  const own = candidate.evaluation.ece;
  return {
    ...about,
    verdict: own <= allowed ? 'pass' : 'fail',
    figure: own,
    golden: golden.evaluation.ece,
    reason: `The top score misses the accuracy by ${pp(own)} on average.`,
  };
}

function agreementGate({ candidate, golden, thresholds }: ValidationNeeds): GateResult {
  const errors = 1 - (golden?.evaluation.accuracy.value ?? 0);
  const least = Math.max(0, 1 - 2 * errors - thresholds.maxAccuracyDropPp / 100);
  const about = {
    id: 'agreement',
    title: 'Agreement with the golden model on the hold-out',
    threshold: `at least ${(least * 100).toFixed(1)} %: two models differ only where one of them errs`,
  };
  if (!candidate || !golden || golden.predicted.length === 0) return unmeasured(about, MISSING);
  const n = golden.predicted.length;
  let agreed = 0;
  for (let row = 0; row < n; row++) if (golden.predicted[row] === candidate.predicted[row]) agreed++;
  const figure = wilson(agreed, n);
  return {
    ...about,
    verdict: figure.value >= least - ROUNDING ? 'pass' : 'fail',
    figure,
    golden: 1,
    reason: `They agree on ${agreed} of ${n} records.`,
  };
}

/**
 * Success against the larger of the threshold and the golden model's own rate. On few requests one chance mistake exceeds any small share, so
 * the gate fails only when the lower end of the interval exceeds what is allowed; the figure says what was seen.
 */
function attackGate(
  id: string,
  title: string,
  replay: AttackReplay,
  { candidate, golden, thresholds }: ValidationNeeds,
): GateResult {
  const own = wilson(replay.candidate, replay.attempts);
  const reference = wilson(replay.golden, replay.attempts);
  const allowed = Math.max(thresholds.maxAttackSuccess, replay.attempts === 0 ? 0 : reference.value);
  const about = {
    id,
    title,
    threshold: `succeeds on at most ${(allowed * 100).toFixed(1)} % (${thresholds.maxAttackSuccess * 100} %, or the golden model's own rate if higher)`,
  };
  if (!candidate || !golden)
    return unmeasured(about, 'The candidate or the golden model could not be run on the attack.');
  if (replay.attempts === 0) return unmeasured(about, 'The captured attack holds no request.');
  const counts = `${replay.candidate} of ${replay.attempts} requests still get the attacker's class (golden model: ${replay.golden})`;
  if (own.value <= allowed) return { ...about, verdict: 'pass', figure: own, golden: reference, reason: `${counts}.` };
  return own.low > allowed
    ? { ...about, verdict: 'fail', figure: own, golden: reference, reason: `${counts}.` }
    : {
        ...about,
        verdict: 'pass',
        figure: own,
        golden: reference,
        reason: `${counts}, which chance alone explains: the 95 % interval starts at ${(own.low * 100).toFixed(1)} %.`,
      };
}

function graphGate({ graphs }: ValidationNeeds): GateResult {
  const about = {
    id: 'graph',
    title: 'Graph unchanged',
    threshold: 'only the values of float initializers differ from the golden model',
  };
  if (!graphs.candidate || !graphs.golden) return unmeasured(about, 'A graph could not be read.');
  const same = graphs.candidate === graphs.golden;
  return {
    ...about,
    verdict: same ? 'pass' : 'fail',
    figure: graphs.candidate,
    golden: graphs.golden,
    reason: same ? 'The graph hashes are equal.' : 'The graph hashes differ: something else than weights was changed.',
  };
}

function weightsGate({ nonFiniteWeights }: ValidationNeeds): GateResult {
  const about = { id: 'weights', title: 'Weights are numbers', threshold: 'no weight is NaN or infinite' };
  if (nonFiniteWeights === null) return unmeasured(about, 'The weights of the candidate could not be read.');
  return {
    ...about,
    verdict: nonFiniteWeights === 0 ? 'pass' : 'fail',
    figure: nonFiniteWeights,
    golden: 0,
    reason: nonFiniteWeights === 0 ? 'All weights are finite.' : `${nonFiniteWeights} weights are NaN or infinite.`,
  };
}
