import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { examinePoison, KNOWING_JUDGE } from '../../forensics/poison/poisoned-records.ts';
import { createPredictor } from '../../forensics/predictor/predictor.ts';
import type { Case } from './cases.ts';
import { judgeRequests, type JudgedRequests } from './requests.ts';

/** The budget of `lazaret.yaml` where it names none. */
export const BUDGET = 0.01;

export interface Judged {
  readonly about: Case['about'];
  /** Of the marked records. 0 where nothing was marked and something was planted. */
  readonly f1: number;
  readonly alarm: boolean;
  /** Clean records that were marked, of all clean ones. */
  readonly falselyMarked: number;
  /** Strongest signs over the classes: what the thresholds are set against. */
  readonly success: number;
  readonly misfit: number;
  readonly seconds: number;
  readonly requests: JudgedRequests;
  readonly words: string;
}

export async function judge(one: Case): Promise<Judged> {
  const { about, records, tainted } = one;
  const predictor = await createPredictor(one.suspect);
  try {
    const began = performance.now();
    const found = await examinePoison(
      columnsOf(one),
      about.classes,
      { predictor, featureShape: records.shape },
      BUDGET,
    );
    const seconds = (performance.now() - began) / 1000;
    const requests = await judgeRequests(one, predictor, BUDGET);
    const marked = found.rows.filter((_, at) => {
      const taint = found.taint[at] ?? 0;
      return taint > 0 && taint >= found.cut;
    });
    const { f1, falselyMarked } = f1Of(marked, tainted);
    const success = Math.max(...found.signs.map((sign) => sign.success));
    const misfit = Math.min(...found.signs.map((sign) => sign.misfit));
    return {
      about,
      f1,
      alarm: found.groups.length > 0 && found.judgeAccuracy >= KNOWING_JUDGE,
      falselyMarked,
      success,
      misfit,
      seconds,
      requests,
      words: `F1 ${f1.toFixed(2)}, ${found.groups.map(({ label, kind }) => `${kind} in ${label}`).join(', ') || 'no alarm'} judge ${found.judgeAccuracy.toFixed(2)}, requests ${requests.recall === null ? (requests.alarm ? 'FALSE ALARM' : 'clean') : requests.recall.toFixed(2)} (success ${success.toFixed(2)}, misfit ${misfit.toFixed(2)}, ${seconds.toFixed(1)} s)`,
    };
  } finally {
    await predictor.close();
  }
}

/** Of marked rows against the truth; 1 where nothing was planted and nothing marked. */
export function f1Of(marked: readonly number[], tainted: Int32Array): { f1: number; falselyMarked: number } {
  const hits = marked.filter((row) => tainted[row] === 1).length;
  const planted = tainted.reduce((sum, one) => sum + one, 0);
  return {
    f1: marked.length + planted === 0 ? 1 : (2 * hits) / (marked.length + planted),
    falselyMarked: (marked.length - hits) / (tainted.length - planted),
  };
}

export function columnsOf({ records, labels }: Pick<Case, 'records' | 'labels'>): DatasetColumns {
  const same = (text: string) => new Array<string>(records.count).fill(text);
  return {
    count: records.count,
    width: records.features.length / records.count,
    ids: Array.from({ length: records.count }, (_, row) => String(row)),
    features: records.features,
    labels,
    sources: same('bench'),
    batches: same('bench'),
  };
}
