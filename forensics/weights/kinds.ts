import type { WeightChange } from '../../domain/contracts/finding.ts';
import type { Evidence } from './evidence.ts';

/** Rules are about nearly all of what changed: a share left for rounding. */
const NEARLY_ALL = 0.99;
/** Of the energy of a difference; float32 rounding of a product leaves far less. */
const NEGLIGIBLE = 1e-6;
/** Random flips that are all among the low bits by chance: (12/32)³ = 5 %. Fewer are called bit flips. */
const MIN_LOW_BITS = 4;
/** Payloads in the 12 lowest of 23 bits of the mantissa keep a weight to 2⁻¹¹ of its size. */
const LOW_BITS = 12;
/** Flipped bits above this share of all words are no longer faults or an attack on single weights. */
const MAX_FLIPPED = 0.05;
/** Several flips may meet in one word of a small tensor. */
const MOSTLY_FEW = 0.9;
/** An implant touches few neurons: rows or columns. */
const MAX_NEURONS = 0.25;
/** A low-rank edit of a matrix leaves at least three quarters of its directions alone. */
const MAX_RANK = 0.25;
const MIN_SIDE = 8;
/** Training moves nearly every weight of a tensor that it moves at all. */
const DENSE = 0.5;

interface Rule {
  readonly kind: WeightChange['kind'];
  /** The tensors that changed, and the entries of all. */
  when(changed: readonly Evidence[], entries: number): boolean;
  readonly because: string;
}

const total = (all: readonly Evidence[], of: (one: Evidence) => number) => all.reduce((sum, one) => sum + of(one), 0);
const share = (all: readonly Evidence[], of: (one: Evidence) => number, among: (one: Evidence) => number) =>
  total(all, of) / Math.max(total(all, among), Number.MIN_VALUE);
const changedOf = (one: Evidence) => one.changed;
const differenceOf = (one: Evidence) => one.difference;
const low = (one: Evidence) => one.highestBit.slice(0, LOW_BITS).reduce((sum, count) => sum + count, 0);
/** Rounding errors carry: a few of many changed words differ in a bit far above the rest, hidden payloads stop sharply. */
const nearTop = (all: readonly Evidence[]) => {
  const bits = Array.from({ length: 32 }, (_, bit) => total(all, (one) => one.highestBit[bit] ?? 0));
  const top = bits.findLastIndex((count) => count > 0);
  return ((bits[top] ?? 0) + (bits[top - 1] ?? 0)) / total(all, changedOf);
};
const few = (one: Evidence) =>
  one.rows.of > 1 &&
  (one.columns.of === 1
    ? one.rows.touched <= Math.max(1, one.rows.of * MAX_NEURONS)
    : Math.min(one.rows.touched / one.rows.of, one.columns.touched / one.columns.of) <= MAX_NEURONS);
const side = (one: Evidence) => Math.min(one.rows.of, one.columns.of);

/** In this order; the first that holds names the kind. Each looks at the tensors that changed. */
export const kindRules: readonly Rule[] = [
  { kind: 'none', when: (all) => all.length === 0, because: 'no bit differs' },
  {
    kind: 'pruned',
    when: (all) => total(all, changedOf) > 2 && share(all, (one) => one.emptied, changedOf) >= NEARLY_ALL,
    because: 'what changed is zero now',
  },
  {
    kind: 'requantised',
    when: (all) => share(all, (one) => (one.quantised ? one.changed : 0), changedOf) >= 0.9,
    because: 'the values lie on a grid of few levels or have lost the low bits of their mantissa',
  },
  {
    kind: 'low-bits',
    when: (all) => total(all, changedOf) >= MIN_LOW_BITS && share(all, low, changedOf) === 1 && nearTop(all) >= 0.5,
    because: `only the ${LOW_BITS} lowest bits of the mantissa changed, with a sharp upper end`,
  },
  {
    kind: 'bit-flips',
    when: (all, entries) =>
      share(all, (one) => one.fewBits, changedOf) >= MOSTLY_FEW &&
      total(all, changedOf) <= Math.max(1, entries * MAX_FLIPPED),
    because: 'few words differ, each in one or two bits',
  },
  {
    kind: 'scaled',
    when: (all) =>
      share(all, changedOf, (one) => one.entries) >= DENSE &&
      (share(all, (one) => one.afterScale, differenceOf) < NEGLIGIBLE ||
        (all.some((one) => one.columns.of >= 4) &&
          share(
            all.filter((one) => one.columns.of >= 4),
            (one) => one.afterRowScale,
            differenceOf,
          ) < NEGLIGIBLE)),
    because: 'tensors or neurons are the golden ones times a factor',
  },
  {
    kind: 'few-neurons',
    when: (all) => all.every(few),
    because: 'in each changed tensor at most a quarter of the neurons, as rows or columns, is touched',
  },
  {
    kind: 'low-rank',
    when: (all) => {
      const matrices = all.filter((one) => side(one) >= MIN_SIDE);
      return matrices.length > 0 && matrices.every((one) => one.rank <= Math.max(1, side(one) * MAX_RANK));
    },
    because: 'the difference of every matrix has at most a quarter of its rank',
  },
  {
    kind: 'dense',
    when: (all) => all.some((one) => one.changed >= DENSE * one.entries && one.entries >= MIN_SIDE),
    because: 'nearly every weight of a tensor moved, in all directions, as training moves them',
  },
  { kind: 'scattered', when: () => true, because: 'single entries changed, in no pattern that has a name here' },
];

export function kindOf(evidence: readonly Evidence[]): { kind: WeightChange['kind']; because: string } {
  const changed = evidence.filter((one) => one.changed > 0);
  const entries = total(evidence, (one) => one.entries);
  const rule = kindRules.find(({ when }) => when(changed, entries));
  if (!rule) throw new TypeError('the last rule always holds');
  return { kind: rule.kind, because: rule.because };
}
