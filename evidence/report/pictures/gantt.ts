import type { StanceTime, Timeline } from '../facts/timeline.ts';
import { duration } from '../figures.ts';
import { html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';
import { timeAxis, type TimeAxis } from './time-axis.ts';

const LAYOUT = {
  wide: { width: WIDE, left: 132, right: 214, row: 30, bar: 14, ticks: 8 },
  narrow: { width: NARROW, left: 2, right: 8, row: 44, bar: 12, ticks: 4 },
} as const;

/** The phases as bars over the time since the alert, and above them what the endpoint did meanwhile. */
export function gantt(timeline: Timeline, endpoint: string, width: Width): Html {
  const layout = LAYOUT[width];
  const chart = layout.width - layout.left - layout.right;
  const axis = timeAxis(timeline.stretches, timeline.totalMs, { left: layout.left, width: chart, ticks: layout.ticks });
  const top = 26;
  const bandHeight = width === 'wide' ? 44 : 52;
  const height = top + bandHeight + timeline.phases.length * layout.row + 14;
  const first = top + bandHeight;
  const bottom = height - 10;
  const bandTop = top + (width === 'wide' ? 8 : 24);

  return canvas(
    `gantt-${width}`,
    { width: layout.width, height },
    {
      title: 'Timeline of the incident by phase',
      description: `${timeline.phases.map((p) => `${p.phase}: ${duration(p.workMs)} of work${p.peopleMs > 0 ? ` and ${duration(p.peopleMs)} waiting for people` : ''}`).join('; ')}.`,
    },
    [
      html`<defs
        ><pattern id="hatch-${width}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"
          ><rect width="6" height="6" class="hatch-bed" /><line
            x1="0"
            y1="0"
            x2="0"
            y2="6"
            class="hatch-line" /></pattern
      ></defs>`,
      axis.ticks.map(
        (tick) => html`<line x1="${tick.x}" x2="${tick.x}" y1="${top - 6}" y2="${bottom}" class="grid" />`,
      ),
      spaced(axis.ticks, width === 'wide' ? 38 : 34).map(
        (tick) =>
          html`<text x="${Math.max(tick.x, layout.left + 8)}" y="${top - 11}" class="tick middle">${tick.label}</text>`,
      ),
      band(timeline.stances, axis, { y: top, endpoint, width }),
      timeline.phases.map((phase, index) => {
        const y = first + index * layout.row;
        const barY = width === 'wide' ? y + (layout.row - layout.bar) / 2 : y + 24;
        const words = `${duration(phase.workMs)}${phase.peopleMs > 0 ? ` + ${duration(phase.peopleMs)} waiting` : ''}`;
        return [
          html`<line x1="0" x2="${layout.width}" y1="${y}" y2="${y}" class="grid" />`,
          width === 'wide'
            ? html`<text x="${layout.left - 14}" y="${y + layout.row / 2 + 4}" class="label endward"
                  >${phase.phase}</text
                ><text x="${layout.width - layout.right + 14}" y="${y + layout.row / 2 + 4}" class="value"
                  >${words}</text
                >`
            : html`<text x="2" y="${y + 17}" class="label">${phase.phase}</text
                ><text x="${layout.width - 2}" y="${y + 17}" class="value endward">${words}</text>`,
          phase.stretches.map((stretch) => {
            const from = axis.x(stretch.from);
            const length = Math.max(3, axis.x(stretch.to) - from);
            return stretch.kind === 'work'
              ? html`<rect x="${from}" y="${barY}" width="${length}" height="${layout.bar}" rx="2" class="work" />`
              : html`<rect
                  x="${from}"
                  y="${barY}"
                  width="${length}"
                  height="${layout.bar}"
                  rx="2"
                  fill="url(#hatch-${width})"
                  class="people"
                />`;
          }),
        ];
      }),
      axis.folds.map((fold) => {
        const x = (axis.x(fold.from) + axis.x(fold.to)) / 2;
        const row = timeline.phases.findIndex((phase) =>
          phase.stretches.some((stretch) => stretch.from === fold.from && stretch.kind === 'people'),
        );
        const y = first + row * layout.row + (width === 'wide' ? (layout.row - layout.bar) / 2 : 24);
        return [breakMark(x, y - 3, y + layout.bar + 3), breakMark(x, bandTop - 3, bandTop + 25)];
      }),
      timeline.alerts
        .slice(0, 50)
        .map((ms) => html`<path d="M${axis.x(ms) - 4} ${top - 7} h8 l-4 7 z" class="alert" />`),
    ],
    'gantt',
  );
}

function band(
  stances: readonly StanceTime[],
  axis: TimeAxis,
  place: { y: number; endpoint: string; width: Width },
): Html {
  const barY = place.width === 'wide' ? place.y + 8 : place.y + 24;
  const label =
    place.width === 'wide'
      ? html`<text x="${LAYOUT.wide.left - 14}" y="${barY + 15}" class="label endward">endpoint</text>`
      : html`<text x="2" y="${place.y + 17}" class="label">endpoint</text>`;
  const parts = stances.map((time) => {
    const from = axis.x(time.from);
    const length = Math.max(3, axis.x(time.to) - from);
    const words = time.suspect ? 'suspect answers' : wordsOf(time.stance);
    // A label is left out where it would run over its neighbour; the table below says it.
    const fits = length > words.length * 6.6 + 10;
    return html`<g
      ><title>${words}: ${duration(time.to - time.from)}</title
      ><rect
        x="${from}"
        y="${barY}"
        width="${length}"
        height="22"
        class="stance ${time.suspect ? 'suspect' : time.stance}"
      />${fits && html`<text x="${from + length / 2}" y="${barY + 15}" class="on-band middle">${words}</text>`}</g
    >`;
  });
  return html`${label}${parts}`;
}

function wordsOf(stance: StanceTime['stance']): string {
  switch (stance) {
    case 'serving':
      return 'in service';
    case 'canary':
      return 'canary';
    case 'mirror':
      return 'compared';
    case 'limited':
      return 'limited';
    case 'shadow':
      return 'golden answers';
    case 'fallback':
      return 'rules answer';
    case 'isolated':
      return 'refuses';
    case 'found':
      return 'as it was found';
  }
}

function breakMark(x: number, top: number, bottom: number): Html {
  return html`<path d="M${x - 3} ${top} V${bottom} M${x + 3} ${top} V${bottom}" class="fold" />`;
}

/** Ticks whose labels do not touch. */
function spaced(ticks: TimeAxis['ticks'], gap: number): TimeAxis['ticks'] {
  let last = -Infinity;
  return ticks.filter((tick) => {
    if (tick.x - last < gap) return false;
    last = tick.x;
    return true;
  });
}
