import type { TriggerPreview } from '../../../domain/contracts/finding.ts';
import { html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';
import { cellsOf, rounded } from './cells.ts';

/** The recovered trigger: what it covers, and what it looks like where it covers. */
export function triggerPicture(preview: TriggerPreview, target: string, width: Width): Html {
  const pattern = Buffer.from(preview.pattern, 'base64');
  const mask = Buffer.from(preview.mask, 'base64');
  const { second, height, painted, frame, words } = cellsOf(preview, width);
  const shade = (grey: number, opacity: number): Html =>
    html`fill="rgb(${grey},${grey},${grey})" fill-opacity="${rounded(opacity)}"`;
  return canvas(
    `trigger-${width}`,
    { width: width === 'wide' ? WIDE : NARROW, height },
    {
      title: `The recovered trigger for ${target}`,
      description: `On the left where it covers the input, on the right its pattern there; ${preview.width} by ${preview.height} cells.`,
    },
    [
      ...painted(0, (index) => shade(255 - (mask[index] ?? 0), 1)),
      ...painted(second, (index) => shade(pattern[index] ?? 0, (mask[index] ?? 0) / 255)),
      frame(0),
      frame(second),
      words(0, 'covers (dark)'),
      words(second, 'pattern'),
    ],
  );
}
