import { describe, expect, it } from '@jest/globals';
import { graphHash } from '../../forensics/onnx/graph-hash.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { voteGraph } from '../../forensics/onnx/vote-graph.ts';
import { modelBytes } from './vectors.ts';

const base = readModel(modelBytes('family/own'));
const vote = readModel(modelBytes('family/vote'));

describe('the graph of a vote', () => {
  it('is derived from the golden graph, and is the one that the trainer wrote', () => {
    const expected = voteGraph(base, 3);
    expect(expected && graphHash(expected)).toBe(graphHash(vote));
  });

  it('has another hash with another number of members, another base, or one changed node', () => {
    const hash = graphHash(vote);
    for (const [model, members] of [
      [base, 2],
      [readModel(modelBytes('digits-golden')), 3],
    ] as const) {
      const other = voteGraph(model, members);
      expect(other && graphHash(other)).not.toBe(hash);
    }
    const biased = { ...vote, graph: { ...vote.graph, nodes: vote.graph.nodes.slice(1) } };
    expect(graphHash(biased)).not.toBe(hash);
    const inputs = ['vote/0', 'vote/0', 'vote/2'];
    const stuffed = {
      ...vote,
      graph: {
        ...vote.graph,
        nodes: vote.graph.nodes.map((node) => (node.name === 'vote' ? { ...node, inputs } : node)),
      },
    };
    expect(graphHash(stuffed)).not.toBe(hash);
  });

  it('is not made of a model with subgraphs or two outputs', () => {
    expect(voteGraph(readModel(modelBytes('branch')), 3)).toBeNull();
    expect(voteGraph(base, 257)).toBeNull();
  });
});
