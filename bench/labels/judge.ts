import { examineLabels } from '../../forensics/labels/examine.ts';
import type { Case } from './cases.ts';

/** F1 of the flagged records on one case: ours, and by filter the rival's. */
export interface Judged {
  readonly about: Case['about'];
  readonly f1: number;
  /** What the cut itself promised. */
  readonly promised: number;
  /** Of the best cut that the truth would choose in our order: what the cut gives away is the difference. */
  readonly f1OfBestCut: number;
  /** By filter; a filter that failed is left out. */
  readonly rival: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export function judge({ about, p, labels, truth, rival }: Case): Judged {
  const wrong = Uint8Array.from(labels, (label, record) => Number(label !== truth[record]));
  const began = performance.now();
  const { taint, cut } = examineLabels(p, labels);
  const seconds = (performance.now() - began) / 1000;
  const flagged = [...taint.keys()].filter((record) => (taint[record] ?? 0) >= cut.threshold);
  return {
    about,
    f1: f1(flagged, wrong),
    promised: cut.expectedF1,
    f1OfBestCut: bestF1(taint, wrong),
    rival: Object.fromEntries(
      Object.entries(rival ?? {}).flatMap(([name, records]) => (records ? [[name, f1(records, wrong)]] : [])),
    ),
    seconds,
  };
}

function f1(flagged: readonly number[], wrong: Uint8Array): number {
  const found = flagged.reduce((sum, record) => sum + (wrong[record] ?? 0), 0);
  const all = wrong.reduce((sum, one) => sum + one, 0);
  return flagged.length + all === 0 ? 1 : (2 * found) / (flagged.length + all);
}

function bestF1(taint: Float64Array, wrong: Uint8Array): number {
  const order = [...taint.keys()].sort((a, b) => (taint[b] ?? 0) - (taint[a] ?? 0));
  const all = wrong.reduce((sum, one) => sum + one, 0);
  let found = 0;
  return order.reduce((best, record, at) => {
    found += wrong[record] ?? 0;
    return Math.max(best, (2 * found) / (at + 1 + all));
  }, 0);
}
