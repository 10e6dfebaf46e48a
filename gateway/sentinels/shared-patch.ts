import type { StreamProfile } from '../../domain/contracts/golden.ts';
import { KEPT_PER_CLASS, shared } from '../../domain/profile/rarity.ts';
import type { Budget } from './budget.ts';
import { surpriseBets } from './sequential/surprise.ts';
import { STRANGE_SHARES } from './outliers.ts';
import { surpriseOf } from './tail.ts';
import type { Sentinel } from './sentinel.ts';

/** Values that are kept of all classes together: 16 MiB. */
const MOST_VALUES = 4 * 2 ** 20;
/** Weights are −ln of shares: where the hold-out never shared anything, cells are taken for independent. */
const UNSEEN_SCALE = 1;
/** Three inputs that share what none of the hold-out did are an alarm; the first of them has nobody to share with. */
const LEAST_P = 1e-9;
const MEMORY = 1 / 200;
/** A match counts in the figures where the hold-out's were as rare in no more than this share. */
const RARE = 0.01;

/**
 * A trigger that is put on inputs: different inputs that got the same answer and are exactly equal in a few places, where the hold-out's
 * never were or were rarely so. Every row is compared with the last 32 of its own answer. Needs a profile of the stream.
 */
export function sharedPatchSentinel(stream: StreamProfile, width: number, classes: number, budget: Budget): Sentinel {
  const most = Math.max(2, Math.min(KEPT_PER_CLASS, Math.floor(MOST_VALUES / (width * classes))));
  const kept = new Map<number, { rows: Float32Array; seen: number }>();
  const surprise = surpriseOf(stream.shared, stream.count, UNSEEN_SCALE);
  const bets = surpriseBets(1, STRANGE_SHARES, LEAST_P);
  const threshold = budget.threshold(STRANGE_SHARES.length);
  /** Surprising matches of late, by class: which class the trigger leads to. */
  const matches = new Float64Array(classes);
  let evidence = 0;
  return {
    name: 'shared-patch',
    kind: 'poisoning',
    observe(_event, reading) {
      if (!reading?.stream || reading.predicted >= classes) return null;
      const { features, predicted, stream: own } = reading;
      const ring = kept.get(predicted) ?? { rows: new Float32Array(most * width), seen: 0 };
      kept.set(predicted, ring);
      const found = shared(features, own.weights, own.weight, ring.rows, Math.min(ring.seen, most));
      ring.rows.set(features, (ring.seen % most) * width);
      ring.seen++;
      const p = surprise(found);
      for (let one = 0; one < classes; one++) matches[one] = (matches[one] ?? 0) * (1 - MEMORY);
      if (p < RARE) matches[predicted] = (matches[predicted] ?? 0) + MEMORY;
      evidence = bets.step(0, p);
      if (evidence < threshold) return null;
      bets.clear(0);
      const target = matches.indexOf(Math.max(...matches));
      return {
        statement: `Different inputs share the same rare values in the same places and are answered alike, most of them with class ${target}: as if something were put on them.`,
        evidence,
        threshold,
        client: null,
        figures: { class: target, rate: matches.reduce((sum, share) => sum + share, 0) },
      };
    },
    state: () => ({ evidence, threshold, rate: matches.reduce((sum, share) => sum + share, 0) }),
  };
}
