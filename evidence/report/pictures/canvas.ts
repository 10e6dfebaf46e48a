import { html, type Html, type Piece } from '../markup.ts';

/** Widths in user units (CSS pixels at full size): a picture is drawn once for wide pages and paper, once for narrow screens. */
export type Width = 'wide' | 'narrow';
export const WIDE = 920;
export const NARROW = 344;

/** An SVG with a title and a description for people who do not see it. `id` MUST be unique in the page. */
export function canvas(
  id: string,
  size: { width: number; height: number },
  about: { title: string; description: string },
  content: Piece,
  className = '',
): Html {
  return html`<svg
    class="${className}"
    viewBox="0 0 ${size.width} ${size.height}"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
    xmlns="http://www.w3.org/2000/svg"
  >
    <title id="${id}-t">${about.title}</title>
    <desc id="${id}-d">${about.description}</desc>
    ${content}
  </svg>`;
}

/** Both widths of one picture; the style sheet shows one of them, so readers and screen readers meet it once. */
export function bothWidths(draw: (width: Width) => Html): readonly Html[] {
  return [html`<div class="wide">${draw('wide')}</div>`, html`<div class="narrow">${draw('narrow')}</div>`];
}
