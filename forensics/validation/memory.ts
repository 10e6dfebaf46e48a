import type { ValidationFigure } from '../../domain/contracts/plan.ts';
import { residentBytes } from '../predictor/memory.ts';

/** Bytes of resident memory; null where a process did not end well. */
export interface Memories {
  readonly candidate: number | null;
  readonly golden: number | null;
}

const MIB = 1024 ** 2;

/** Each model in a process of its own, once: seen six times, two models of one graph differed by 0.4 % and one from itself by as much. */
export async function memoriesOf(
  models: { readonly candidate: Uint8Array; readonly golden: Uint8Array },
  record: Float32Array,
  shape: readonly number[],
): Promise<Memories> {
  const [candidate, golden] = await Promise.all(
    [models.candidate, models.golden].map((model) => residentBytes(model, record, shape)),
  );
  return { candidate: candidate ?? null, golden: golden ?? null };
}

/** Told, not judged: only weights may differ, so that a repaired model cannot need more by much. */
export function memoryFigure({ candidate, golden }: Memories): ValidationFigure {
  const about = { id: 'memory', title: 'Resident memory against the golden model (ratio)' };
  if (candidate === null || golden === null)
    return { ...about, figure: null, golden: null, words: 'It could not be measured.' };
  const [own, reference] = [candidate, golden].map((bytes) => (bytes / MIB).toFixed(1));
  return {
    ...about,
    figure: Number((candidate / golden).toFixed(3)),
    golden: 1,
    words: `A process grows by ${own} MiB to load the model and answer one record, by ${reference} MiB for the golden model. The runtime counts in both; measured here and not on the gateway.`,
  };
}
