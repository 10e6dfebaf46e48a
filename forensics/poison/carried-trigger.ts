import type { Predictor } from '../predictor/predictor.ts';
import { mean as average } from '../statistics/description.ts';
import { top } from '../statistics/calibration.ts';
import { conformalThreshold } from '../statistics/conformal.ts';
import { fisherGreater } from '../statistics/exact-tests.ts';
import { meanOf, type RecoveredTrigger } from '../requests/excision.ts';
import type { Inputs } from '../requests/strip.ts';
import { withTrigger } from '../validation/trigger.ts';
import { along, discriminant } from './discriminant.ts';
import { rowsAt } from './rows.ts';

// Named here because they run for every number.
const { floor, sqrt } = Math;

/** Records under one label, the target of an attack, and what is known of its trigger. */
export interface Carrying {
  /** Records that bear the target's label. */
  readonly records: Inputs;
  /** Clean records of any label; and which of them are the target's. */
  readonly holdout: Inputs;
  readonly own: (row: number) => boolean;
  /** Captured requests of the attack; empty where none were. */
  readonly captured: Inputs;
  readonly trigger: RecoveredTrigger | null;
  readonly suspect: Predictor | null;
  readonly featureShape: readonly number[];
  readonly falseAlarmBudget: number;
}

/** Fewer captured requests show too little of what they have in common. */
const LEAST_CAPTURED = 10;
/** Features that part carriers from clean records most; more than that few records cannot weigh. */
const MOST_CELLS = 150;
const SHRINKAGE = 0.05;
/** Of the range of a feature: keeps one that never changes from being infinitely telling. */
const LEAST_DEVIATION = 0.05;
/**
 * That clean records are flagged as often, exact. A captured attack was seen at work, and any clean record may stand for the others; a recovered
 * trigger may be no more than what the class looks like, so that only clean records of the class itself may.
 */
const ALARM_LEVEL = { captured: 0.01, recovered: 0.001 } as const;
const LEAST = 5;

/**
 * Which records of the target's class carry the trigger, whatever their label says: poison with clean labels contradicts no model. Two methods,
 * each with a conformal threshold from clean records that it was not fitted on: a linear discriminant of the carriers (captured requests, or
 * clean records with the recovered trigger) from clean records; and how much of the suspect's margin hangs on the recovered trigger's cells. A
 * method that flags no more than chance flags nothing.
 */
export async function carriersAmong(carrying: Carrying): Promise<readonly boolean[]> {
  const { records } = carrying;
  // The suspect is what is under suspicion: where it fails to answer, the other method is left.
  const methods = [matched(carrying), await excised(carrying).catch(() => null)].flatMap((method) =>
    method ? [method] : [],
  );
  const flags = new Array<boolean>(records.count).fill(false);
  for (const { scores, reference, own, least, by } of methods) {
    const threshold = conformalThreshold(reference, carrying.falseAlarmBudget);
    if (threshold === null) continue;
    // The target's own clean records may be nearer to the trigger than others.
    const cut = own.reduce((most, score) => Math.max(most, score), Math.max(threshold, least));
    const hits = scores.filter((score) => score > cut).length;
    const against = by === 'captured' ? reference : own;
    const clean = { marked: against.filter((score) => score > cut).length, n: against.length };
    if (hits < LEAST || fisherGreater({ marked: hits, n: records.count }, clean) >= ALARM_LEVEL[by]) continue;
    scores.forEach((score, row) => (flags[row] ||= score > cut));
  }
  return flags;
}

interface Scored {
  readonly scores: Float64Array;
  /** Of clean records. */
  readonly reference: Float64Array;
  /** Of those among them that are the target's. */
  readonly own: Float64Array;
  /** Half way from clean records to carriers, where carriers are known; else −∞. */
  readonly least: number;
  readonly by: 'captured' | 'recovered';
}

/** By what carriers have in common, cell by cell. Half of the other classes' clean records fit, the rest set the threshold. */
function matched({ records, holdout, own, captured, trigger }: Carrying): Scored | null {
  const width = holdout.features.length / holdout.count;
  const all = Array.from({ length: holdout.count }, (_, row) => row);
  const fitting = rowsOf(
    holdout,
    all.filter((row) => row % 2 === 0 && !own(row)),
  );
  const seen = captured.count >= LEAST_CAPTURED;
  const stamped = trigger && withTrigger(trigger.image, fitting.features, width);
  const carriers = seen ? captured : stamped && { features: stamped, count: fitting.count };
  if (!carriers || fitting.count === 0) return null;
  const cells = tellingCells(carriers, fitting, width);
  const both = [...cellsOf(carriers, cells, width), ...cellsOf(fitting, cells, width)];
  const weights = discriminant({ values: both, width: cells.length }, (row) => row < carriers.count, SHRINKAGE);
  if (!weights) return null;
  const score = (inputs: Inputs) => along({ values: cellsOf(inputs, cells, width), width: cells.length }, weights);
  const rest = all.filter((row) => row % 2 === 1 || own(row));
  const reference = score(rowsOf(holdout, rest));
  return {
    scores: score(records),
    reference,
    own: reference.filter((_, at) => own(rest[at] ?? 0)),
    least: seen ? (average(score(carriers)) + average(reference)) / 2 : -Infinity,
    by: seen ? 'captured' : 'recovered',
  };
}

function tellingCells(carriers: Inputs, clean: Inputs, width: number): readonly number[] {
  const [theirs, ours] = [meanOf(carriers), meanOf(clean)];
  let range = 0;
  for (const value of clean.features) range = Math.max(range, Math.abs(value));
  const spread = new Float64Array(width);
  clean.features.forEach((value, at) => {
    const cell = at % width;
    spread[cell] = (spread[cell] ?? 0) + (value - (ours[cell] ?? 0)) ** 2 / clean.count;
  });
  return Array.from({ length: width }, (_, cell) => ({
    cell,
    telling: Math.abs((theirs[cell] ?? 0) - (ours[cell] ?? 0)) / (sqrt(spread[cell] ?? 0) + LEAST_DEVIATION * range),
  }))
    .sort((a, b) => b.telling - a.telling)
    .slice(0, MOST_CELLS)
    .map(({ cell }) => cell);
}

function cellsOf({ features, count }: Inputs, cells: readonly number[], width: number): Float64Array {
  const out = new Float64Array(count * cells.length);
  for (let at = 0; at < out.length; at++)
    out[at] = features[floor(at / cells.length) * width + (cells[at % cells.length] ?? 0)] ?? 0;
  return out;
}

function rowsOf({ features, count }: Inputs, rows: readonly number[]): Inputs {
  return { features: rowsAt(features, features.length / count, rows), count: rows.length };
}

/** Fall of the target's logit margin in the suspect once the trigger's cells hold the mean of clean records. */
async function excised({ records, holdout, own, trigger, suspect, featureShape }: Carrying): Promise<Scored | null> {
  if (!trigger || !suspect) return null;
  const mean = Array.from(meanOf(holdout));
  const width = mean.length;
  const blank = { ...trigger.image, pattern: mean };
  const falls = async (inputs: Inputs): Promise<Float64Array | null> => {
    const cut = withTrigger(blank, inputs.features, width);
    if (!cut) return null;
    const before = await suspect.logits(inputs.features, inputs.count, featureShape);
    const after = await suspect.logits(cut, inputs.count, featureShape);
    return Float64Array.from(
      { length: inputs.count },
      (_, row) => margin(before.scores, row, before.classes) - margin(after.scores, row, after.classes),
    );
  };
  const margin = (scores: Float32Array, row: number, classes: number) => {
    const others = scores.slice(row * classes, (row + 1) * classes);
    const target = others[trigger.target] ?? 0;
    others[trigger.target] = -Infinity;
    return target - top(others, 0, classes).value;
  };
  const scores = await falls(records);
  const reference = await falls(holdout);
  return (
    scores &&
    reference && { scores, reference, own: reference.filter((_, row) => own(row)), least: -Infinity, by: 'recovered' }
  );
}
