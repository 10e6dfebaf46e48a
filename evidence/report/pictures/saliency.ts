import type { TriggerPreview } from '../../../domain/contracts/finding.ts';
import { html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';
import { cellsOf, rounded } from './cells.ts';

/** Where in the record the suspect's answer comes from (`mask`), beside the mean of the requests that are explained (`pattern`). */
export function saliencyPicture(preview: TriggerPreview, requests: number, width: Width): Html {
  const heat = Buffer.from(preview.mask, 'base64');
  const mean = Buffer.from(preview.pattern, 'base64');
  const { second, height, painted, frame, words } = cellsOf(preview, width);
  return canvas(
    `saliency-${width}`,
    { width: width === 'wide' ? WIDE : NARROW, height },
    {
      title: 'Where the suspect’s answer comes from',
      description: `On the left the saliency, mean of ${requests} requests; on the right their mean; ${preview.width} by ${preview.height} cells.`,
    },
    [
      ...painted(0, (index) => html`class="moved" fill-opacity="${rounded((heat[index] ?? 0) / 255)}"`),
      ...painted(second, (index) => {
        const grey = mean[index] ?? 0;
        return html`fill="rgb(${grey},${grey},${grey})"`;
      }),
      frame(0),
      frame(second),
      words(0, 'speaks for the answer'),
      words(second, 'mean request'),
    ],
  );
}
