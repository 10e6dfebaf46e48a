import type { ScannedModel, Tensor } from './file/model.ts';
import { onlyLowBitsMoved } from './low-bits.ts';
import { singles } from './rules/tensors.ts';

export interface GoldenHit {
  readonly rule: 'golden/outputs' | 'golden/inputs' | 'golden/low-bits';
  readonly place: string;
  readonly words: string;
}

/** What only the golden model can show. Differences of nodes are the analyser `graph`'s. */
export function goldenHits(suspect: ScannedModel, golden: ScannedModel): readonly GoldenHit[] {
  return [
    ...changed(suspect, golden, 'outputs'),
    ...changed(suspect, golden, 'inputs'),
    ...lowBits(suspect.tensors, golden.tensors),
  ];
}

/** An output more is a way to carry data out, an input more a way to carry orders in. */
function changed(suspect: ScannedModel, golden: ScannedModel, side: 'outputs' | 'inputs'): readonly GoldenHit[] {
  const names = (model: ScannedModel): string[] => (model.main?.[side] ?? []).map(({ name }) => name);
  const [after, before] = [names(suspect), names(golden)];
  const added = after.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !after.includes(name));
  return added.length + removed.length === 0
    ? []
    : [
        {
          rule: `golden/${side}`,
          place: 'graph',
          words: `${side} added: ${added.join(', ') || 'none'}; removed: ${removed.join(', ') || 'none'}`,
        },
      ];
}

function lowBits(suspect: readonly Tensor[], golden: readonly Tensor[]): readonly GoldenHit[] {
  const before = new Map(golden.map((tensor) => [tensor.path, tensor]));
  return suspect.flatMap((tensor): GoldenHit[] => {
    const other = before.get(tensor.path);
    const [after, known] = [singles(tensor), other && singles(other)];
    const share = after && known ? onlyLowBitsMoved(after, known) : null;
    return share === null
      ? []
      : [
          {
            rule: 'golden/low-bits',
            place: tensor.path,
            words: `the lowest byte moved in ${(share * 100).toFixed(1)} % of the weights and nothing else`,
          },
        ];
  });
}
