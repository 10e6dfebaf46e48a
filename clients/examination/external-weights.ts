import type { Finding } from '../../domain/contracts/finding.ts';
import { crashed } from '../../forensics/analysers/analyser.ts';
import { registry } from '../../forensics/analysers/registry.ts';
import { compareWeightFiles } from '../../forensics/analysers/weights.ts';
import { locateWeights } from '../../forensics/weights/located.ts';

/** Compares weights that lie beside the model files, whatever their size; null where both models keep theirs inside. */
export function examineExternalWeights(
  suspect: string,
  golden: string,
  progress: (words: string) => void,
): Finding | null {
  try {
    return [suspect, golden].some((path) => locateWeights(path).external)
      ? compareWeightFiles(suspect, golden, progress)
      : null;
  } catch (error) {
    return crashed('weights', registry.weights.question, error);
  }
}
