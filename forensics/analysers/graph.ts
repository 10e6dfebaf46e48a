import type { Finding } from '../../domain/contracts/finding.ts';
import { describeDifferences } from '../onnx/differences.ts';
import { graphHash } from '../onnx/graph-hash.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';
import { counted, listed } from './wording.ts';

export interface ModelPair {
  readonly suspect: OnnxModel | null;
  readonly golden: OnnxModel | null;
}

const asked = {
  analyser: 'graph',
  question: 'Does the suspect compute something else than the golden model, apart from its weights?',
} as const;

const MAX_DIFFERENCES = 50;

/** Structure comes first: a backdoor written into the graph has no gradient, so no search over inputs finds it. */
export const graphAnalyser: Analyser<ModelPair> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(compare(needs)),
};

function compare({ suspect, golden }: ModelPair): Finding {
  if (golden === null) return inconclusive(asked, 'No golden model is there to compare the graph with.');
  if (suspect === null) return inconclusive(asked, 'The bytes of the suspect were not captured.');
  const suspectHash = graphHash(suspect);
  const goldenHash = graphHash(golden);
  const finding = (verdict: Finding['verdict'], summary: string, differences: readonly string[]): Finding => ({
    ...asked,
    verdict,
    confidence: null,
    summary,
    detail: { analyser: 'graph', suspectHash, goldenHash, differences },
    failure: null,
  });
  if (suspectHash === goldenHash)
    return finding('clean', 'The graphs are the same; the models can differ in their float initializers only.', []);

  const { computation, description } = describeDifferences(suspect, golden);
  const all = [...computation, ...description];
  const differences =
    all.length > MAX_DIFFERENCES
      ? [...all.slice(0, MAX_DIFFERENCES - 1), `and ${all.length - MAX_DIFFERENCES + 1} more`]
      : all;
  return computation.length > 0
    ? finding(
        'compromised',
        `The suspect's graph is not the approved one: ${counted(computation.length, 'difference')}, among them ${listed(computation)}.`,
        differences,
      )
    : finding(
        'suspicious',
        `The suspect computes what the golden model computes, but the file was changed: ${listed(description)}.`,
        differences,
      );
}
