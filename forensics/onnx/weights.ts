import type { FloatValues, OnnxGraph, OnnxModel, OnnxTensor } from './model.ts';

/** A float initializer: what training moves. */
export interface Weight {
  /** Name in the main graph; inside a subgraph the path to it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: FloatValues;
}

/** All float initializers in graph order, those of nested subgraphs after those of the graph that holds them. */
export function weightsOf(model: OnnxModel): readonly Weight[] {
  return collect(model.graph, '');
}

function collect(graph: OnnxGraph, path: string): readonly Weight[] {
  const own = graph.initializers.flatMap((tensor) => weight(tensor, path));
  const nested = graph.nodes.flatMap((node, index) =>
    node.attributes.flatMap((attribute) =>
      [...(attribute.graph ? [attribute.graph] : []), ...attribute.graphs].flatMap((inner, at) =>
        collect(inner, `${path}${node.name || `${node.opType}-${index}`}/${attribute.name}${at > 0 ? `-${at}` : ''}/`),
      ),
    ),
  );
  return [...own, ...nested];
}

function weight(tensor: OnnxTensor, path: string): readonly Weight[] {
  return tensor.values === null ? [] : [{ name: `${path}${tensor.name}`, shape: tensor.dims, values: tensor.values }];
}

/** Weights that are NaN or infinite. */
export function nonFinite(weights: readonly Weight[]): number {
  let count = 0;
  for (const { values } of weights) for (const value of values) if (!Number.isFinite(value)) count++;
  return count;
}
