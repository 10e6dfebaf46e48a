import type { TriggerPreview } from '../../../domain/contracts/finding.ts';
import { html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';

/** Side of one drawn picture in user units; the two stand beside each other, with their words below. */
const SIDE = { wide: 220, narrow: 160 } as const;
const GAP = 16;

/** Where in the record the suspect's answer comes from (`mask`), beside the mean of the requests that are explained (`pattern`). */
export function saliencyPicture(preview: TriggerPreview, requests: number, width: Width): Html {
  const side = SIDE[width];
  const cell = side / Math.max(preview.width, preview.height);
  const heat = Buffer.from(preview.mask, 'base64');
  const mean = Buffer.from(preview.pattern, 'base64');
  const tall = cell * preview.height;
  const height = Math.ceil(tall) + 26;
  const second = side + GAP;
  const cells = (left: number, paint: (index: number) => Html): readonly Html[] =>
    Array.from({ length: preview.width * preview.height }, (_, index) => {
      const x = left + (index % preview.width) * cell;
      const y = Math.floor(index / preview.width) * cell;
      return html`<rect
        x="${round(x)}"
        y="${round(y)}"
        width="${round(cell)}"
        height="${round(cell)}"
        ${paint(index)}
      />`;
    });
  const frame = (left: number): Html =>
    html`<rect
      x="${left}"
      y="0"
      width="${round(cell * preview.width)}"
      height="${round(tall)}"
      fill="none"
      class="grid"
    />`;
  return canvas(
    `saliency-${width}`,
    { width: width === 'wide' ? WIDE : NARROW, height },
    {
      title: 'Where the suspect’s answer comes from',
      description: `On the left the saliency, mean of ${requests} requests; on the right their mean; ${preview.width} by ${preview.height} cells.`,
    },
    [
      ...cells(0, (index) => html`class="moved" fill-opacity="${round((heat[index] ?? 0) / 255)}"`),
      ...cells(second, (index) => html`fill="rgb(${grey(mean, index)},${grey(mean, index)},${grey(mean, index)})"`),
      frame(0),
      frame(second),
      html`<text x="0" y="${height - 8}" class="tick">speaks for the answer</text>
        <text x="${second}" y="${height - 8}" class="tick">mean request</text>`,
    ],
  );
}

function grey(bytes: Buffer, index: number): number {
  return bytes[index] ?? 0;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
