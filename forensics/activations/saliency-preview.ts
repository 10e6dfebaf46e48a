import type { SaliencyMap } from '../../domain/contracts/activations.ts';
import type { ActivationsDetail } from '../../domain/contracts/finding.ts';
import { previewOf } from '../backdoor/trigger-preview.ts';

const MOST_CELLS = 8;

/** A saliency map as people look at it: beside the mean of the requests that it explains, and its loudest cells in figures. */
export function saliencyOf(map: SaliencyMap): Omit<NonNullable<ActivationsDetail['saliency']>, 'map'> {
  const { shape, values, mean, requests, missed } = map;
  const size = shape.reduce((product, dim) => product * dim, 1);
  const width = shape.at(-1) ?? 1;
  const cells = shape.length < 2 ? size : width * (shape.at(-2) ?? 1);
  const shares = new Float64Array(cells);
  if (values.length === size) values.forEach((value, index) => (shares[index % cells]! += value));
  const most = shares.reduce((a, b) => Math.max(a, b), 0);
  return {
    preview:
      values.length === size && most > 0
        ? previewOf({
            schema: 'lazaret.trigger/v1',
            shape,
            mask: Array.from(shares, (share) => share / most),
            pattern: mean,
          })
        : null,
    requests,
    missed,
    top: Array.from(shares, (share, index) => ({ index, share }))
      .filter(({ share }) => share > 0)
      .sort((a, b) => b.share - a.share)
      .slice(0, MOST_CELLS),
    width,
  };
}
