import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { ValidationFigure } from '../../domain/contracts/plan.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { bootstrap, createRandom } from '../statistics/bootstrap.ts';
import { quantiles } from '../statistics/description.ts';

/** Milliseconds of single answers, the two models in turn. */
export interface Latencies {
  readonly candidate: readonly number[];
  readonly golden: readonly number[];
}

const TURNS = 41;
/** First answers pay for what later ones find ready. */
const WARM_UP = 5;
const SEED = 5;

/** One record at a time, candidate and golden model in turn, so that both meet the same load of the machine. */
export async function latenciesOf(
  models: { readonly candidate: Predictor; readonly golden: Predictor },
  { columns, shape }: { readonly columns: DatasetColumns; readonly shape: readonly number[] },
  clock: () => number,
): Promise<Latencies> {
  const times = { candidate: [] as number[], golden: [] as number[] };
  if (columns.count === 0) return times;
  const { features, width, count } = columns;
  for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
    const row = turn % count;
    for (const name of ['candidate', 'golden'] as const) {
      const record = features.slice(row * width, (row + 1) * width);
      const from = clock();
      await models[name].logits(record, 1, shape);
      if (turn >= WARM_UP) times[name].push(clock() - from);
    }
  }
  return times;
}

/** Told, not judged: a busy machine moves it, and only weights may differ, so that a repaired model cannot be slower by much. */
export function latencyFigure({ candidate, golden }: Latencies): ValidationFigure {
  const about = { id: 'latency', title: 'Latency against the golden model (ratio of medians)', golden: 1 };
  const median = (times: readonly number[]): number => quantiles(times, [0.5])[0] ?? NaN;
  const at = (times: readonly number[], rows: ArrayLike<number>) => Array.from(rows, (row) => times[row] ?? NaN);
  const ratio = bootstrap(
    Math.min(candidate.length, golden.length),
    (rows) => median(at(candidate, rows)) / median(at(golden, rows)),
    createRandom(SEED),
  );
  if (!Number.isFinite(ratio.value))
    return { ...about, figure: null, golden: null, words: 'It could not be measured.' };
  return {
    ...about,
    figure: ratio,
    words: `Median of one answer ${median(candidate).toFixed(2)} ms, golden model ${median(golden).toFixed(2)} ms, here and not on the gateway.`,
  };
}
