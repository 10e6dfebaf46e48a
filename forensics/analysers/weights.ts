import type { Finding, WeightChange, WeightsDetail } from '../../domain/contracts/finding.ts';
import { nonFinite, weightsOf, type Weight } from '../onnx/weights.ts';
import { changeOf } from '../weights/change.ts';
import { compareModelFiles } from '../weights/compare-files.ts';
import { pairsOf } from '../weights/pair.ts';
import { createRandom, type Random } from '../statistics/bootstrap.ts';
import { spectrumOf } from '../statistics/spectrum.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';
import type { ModelPair } from './graph.ts';
import { counted, percent } from './wording.ts';

const asked = {
  analyser: 'weights',
  question: 'Which weights differ from the golden model, how much, and in how many directions?',
} as const;

const MAX_TENSORS = 200;
const MAX_SINGULAR_VALUES = 8;
/** The sketch of very large tensors gives the same figures every time. */
const SKETCH_SEED = 1;
/** What no training leaves behind. A permutation, a scaling or a requantisation needs a reason, not a culprit. */
const EDITS: Partial<Record<WeightChange['kind'], string>> = {
  'low-bits': 'data hidden in the low bits of the mantissa',
  'bit-flips': 'flipped bits, as a fault or an attack on memory leaves them',
  'few-neurons': 'an edit of few neurons by hand, not a training',
  'low-rank': 'an edit of low rank',
  scattered: 'an edit by hand, not a training',
};
const HARMLESS: Partial<Record<WeightChange['kind'], string>> = {
  pruned: 'pruned',
  requantised: 'requantised',
  scaled: 'scaled',
  permutation: 'permuted',
};

/** Differences as a retraining makes them say nothing by themselves; what cannot come from training does. */
export const weightsAnalyser: Analyser<ModelPair> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(compare(needs)),
};

/** The same question to two files of any size, one tensor after the other. */
export function compareWeightFiles(suspect: string, golden: string, progress?: (words: string) => void): Finding {
  const { words, changed, nonFinite: broken, detail, left } = compareModelFiles(suspect, golden, progress);
  if (words === 0) return inconclusive(asked, 'The models have no float32 initializer of the same name and shape.');
  const { verdict, summary } = judge(broken, changed, words, changed / words, detail);
  const rest =
    left.length > 0 ? ` ${counted(left.length, 'tensor')} could not be compared: ${left.slice(0, 3).join(', ')}.` : '';
  const open = left.length > 0 && verdict === 'clean' ? ('inconclusive' as const) : verdict;
  return { ...asked, verdict: open, confidence: null, summary: summary + rest, detail, failure: null };
}

type Row = WeightsDetail['tensors'][number];

function compare({ suspect, golden }: ModelPair): Finding {
  if (golden === null) return inconclusive(asked, 'No golden model is there to compare the weights with.');
  if (suspect === null) return inconclusive(asked, 'The bytes of the suspect were not captured.');
  const references = new Map(weightsOf(golden).map((weight) => [weight.name, weight]));
  const weights = weightsOf(suspect);
  const pairs = weights.flatMap((weight) => {
    const reference = references.get(weight.name);
    return reference && reference.shape.join() === weight.shape.join() ? [{ weight, reference }] : [];
  });
  const broken = nonFinite(weights);
  if (pairs.length === 0 && broken === 0)
    return inconclusive(asked, 'The models have no float initializer of the same name and shape.');

  const random = createRandom(SKETCH_SEED);
  const totals = { changed: 0, count: 0, difference: 0, golden: 0 };
  for (const { weight, reference } of pairs) {
    const sums = sumsOf(weight, reference);
    totals.changed += sums.changed;
    totals.count += weight.values.length;
    totals.difference += sums.difference;
    totals.golden += sums.golden;
  }
  const detail: WeightsDetail = {
    analyser: 'weights',
    change: changeOf(pairsOf(weights, weightsOf(golden))),
    tensors: pairs.slice(0, MAX_TENSORS).map(({ weight, reference }) => row(weight, reference, random)),
    relativeChange: ratio(totals.difference, totals.golden),
  };
  const share = totals.count === 0 ? 0 : totals.changed / totals.count;
  const { verdict, summary } = judge(broken, totals.changed, totals.count, share, detail);
  return { ...asked, verdict, confidence: null, summary, detail, failure: null };
}

function judge(
  broken: number,
  changed: number,
  count: number,
  share: number,
  detail: WeightsDetail,
): Pick<Finding, 'verdict' | 'summary'> {
  if (broken > 0)
    return {
      verdict: 'compromised',
      summary: `${counted(broken, 'weight')} of the suspect are not numbers, which no training leaves.`,
    };
  if (changed === 0) return { verdict: 'clean', summary: `All ${count} weights are the golden model's.` };
  const most = detail.tensors.reduce<Row | null>(
    (top, next) => (top && top.relativeChange >= next.relativeChange ? top : next),
    null,
  );
  const where = most
    ? ` The largest change is in ${most.name} (${percent(most.relativeChange)} of its norm, effective rank ${most.effectiveRank.toFixed(1)}).`
    : '';
  const kind = detail.change?.rest ?? detail.change?.kind ?? 'dense';
  const edit = EDITS[kind];
  if (edit) return { verdict: 'suspicious', summary: `Only ${changed} of ${count} weights differ: ${edit}.${where}` };
  const moved = HARMLESS[detail.change?.kind ?? 'dense'];
  if (moved)
    return {
      verdict: 'inconclusive',
      summary: `The weights were ${moved} (${detail.change?.because ?? ''}), as a conversion does; ask who made it.${where}`,
    };
  return {
    verdict: 'inconclusive',
    summary: `${percent(share)} of the weights differ by ${percent(detail.relativeChange)} of the norm, as after a retraining; weights alone do not say on what.${where}`,
  };
}

/** Squares in float64; what is not a number counts as changed and adds nothing. */
function sumsOf(weight: Weight, reference: Weight) {
  const sums = { changed: 0, difference: 0, suspect: 0, golden: 0 };
  weight.values.forEach((value, index) => {
    const other = reference.values[index] ?? 0;
    if (!Object.is(value, other) && value !== other) sums.changed++;
    sums.difference += square(value - other);
    sums.suspect += square(value);
    sums.golden += square(other);
  });
  return sums;
}

function square(value: number): number {
  return Number.isFinite(value) ? value * value : 0;
}

/** Quotient of two norms given as squares. A change of an all-zero tensor is relative to nothing: it counts as its own norm. */
function ratio(difference: number, golden: number): number {
  return golden > 0 ? Math.sqrt(difference / golden) : Math.sqrt(difference);
}

function row(weight: Weight, reference: Weight, random: Random): Row {
  const sums = sumsOf(weight, reference);
  const rows = weight.shape[0] ?? 1;
  const columns = rows === 0 ? 0 : weight.values.length / rows;
  const difference = Float64Array.from(weight.values, (value, index) => {
    const change = value - (reference.values[index] ?? 0);
    return Number.isFinite(change) ? change : 0;
  });
  const spectrum = spectrumOf(difference, rows, columns, random);
  return {
    name: weight.name,
    shape: weight.shape,
    l2Suspect: Math.sqrt(sums.suspect),
    l2Golden: Math.sqrt(sums.golden),
    relativeChange: ratio(sums.difference, sums.golden),
    changedShare: weight.values.length === 0 ? 0 : sums.changed / weight.values.length,
    spectrum: spectrum.values.slice(0, MAX_SINGULAR_VALUES),
    effectiveRank: spectrum.effectiveRank,
  };
}
