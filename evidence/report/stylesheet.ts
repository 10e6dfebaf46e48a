/** The page's whole style. Colours are few and mean something: alarm, caution, good, and one for work. Contrast is at least 4.5 : 1 in both schemes. */
export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --paper: #fffefb; --ink: #1b1f23; --muted: #59616a; --line: #dfdcd3; --bed: #efede6;
  --work: #2b6777; --alarm: #b3261e; --caution: #8a5a00; --good: #1e6e43;
  --alarm-bed: #fbe9e6; --caution-bed: #faf0d9; --good-bed: #e4f2e9; --plain-bed: #ecebe5;
  --on-strong: #ffffff; --hatch: #b9a06a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101315; --paper: #171b1e; --ink: #e8e6e1; --muted: #a3abb2; --line: #31373c; --bed: #20262a;
    --work: #6fb3c4; --alarm: #ff8b7c; --caution: #e9b95a; --good: #74cf9c;
    --alarm-bed: #3b1c19; --caution-bed: #352a12; --good-bed: #16311f; --plain-bed: #272d31;
    --on-strong: #101315; --hatch: #8d7a4b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1040px; padding: 40px 32px 64px; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
h1, h2 { line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 34px; margin: 0 0 8px; letter-spacing: -0.015em; }
h2 { font-size: 21px; margin: 0 0 14px; letter-spacing: -0.005em; }
p { margin: 0 0 14px; max-width: 84ch; overflow-wrap: anywhere; }
.overline { margin: 0 0 6px; font-size: 13px; letter-spacing: 0.09em; text-transform: uppercase; color: var(--muted); }
.subtitle { color: var(--muted); margin-bottom: 14px; }
.badges { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 20px; }
code { font: 0.86em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: 13px; font-weight: 600; white-space: nowrap; background: var(--plain-bed); }
.badge.alarm { color: var(--alarm); background: var(--alarm-bed); }
.badge.caution { color: var(--caution); background: var(--caution-bed); }
.badge.good { color: var(--good); background: var(--good-bed); }
nav { margin: 0 0 24px; padding: 10px 0; border-block: 1px solid var(--line); font-size: 14px; }
nav ol { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; padding: 0; list-style: none; }
nav a { color: var(--muted); text-decoration: none; }
nav a:hover { color: var(--ink); text-decoration: underline; }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--work); outline-offset: 2px; border-radius: 3px; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 26px 28px 18px; margin: 0 0 20px; scroll-margin-top: 12px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(166px, 1fr)); gap: 12px; margin: 20px 0; padding: 0; list-style: none; }
.figures li { display: flex; flex-direction: column; gap: 2px; padding: 14px 16px 12px; border-radius: 8px; background: var(--plain-bed); overflow-wrap: anywhere; }
.figures .name { font-size: 13px; line-height: 1.35; color: var(--muted); min-height: 2.7em; }
.figures strong { font-size: 22px; line-height: 1.25; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.figures .about { font-size: 13px; line-height: 1.35; color: var(--muted); }
.figures .good strong { color: var(--good); } .figures .alarm strong { color: var(--alarm); } .figures .caution strong { color: var(--caution); }
.facts { margin: 0 0 12px; }
.facts div { display: grid; grid-template-columns: 128px 1fr; gap: 12px; padding: 7px 0; border-top: 1px solid var(--line); }
.facts dt { color: var(--muted); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 4px 0 18px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.45; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-weight: 600; padding: 0 0 8px; }
th, td { text-align: start; vertical-align: top; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); }
td code { white-space: nowrap; }
td { overflow-wrap: break-word; min-width: 62px; max-width: 420px; }
th { font-weight: 500; color: var(--muted); white-space: nowrap; border-bottom-color: var(--muted); }
th.end, td.end { text-align: end; padding-right: 24px; } td.end { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; } td:last-child:not(.end) { overflow-wrap: anywhere; min-width: 150px; }
.note { font-size: 14px; color: var(--muted); }
figure { margin: 8px 0 22px; }
figcaption { font-size: 14px; color: var(--muted); margin-top: 8px; max-width: 84ch; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.narrow { display: none; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 28px; }
.pair svg { max-width: 470px; }
svg text { font-family: inherit; font-size: 13px; fill: var(--ink); }
svg .tick, svg .axis { font-size: 12px; fill: var(--muted); } svg .value { fill: var(--muted); } svg .title { font-weight: 600; font-size: 15px; }
svg .middle { text-anchor: middle; } svg .endward { text-anchor: end; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .work, svg .bar { fill: var(--work); } svg .bar-part { fill: var(--alarm); }
svg .people { stroke: var(--hatch); stroke-width: 1; } svg .hatch-bed { fill: var(--caution-bed); } svg .hatch-line { stroke: var(--hatch); stroke-width: 2; }
svg .fold { stroke: var(--paper); stroke-width: 2; fill: none; } svg .alert { fill: var(--alarm); }
svg .stance { stroke: var(--paper); stroke-width: 1; fill: var(--work); }
svg .stance.suspect { fill: var(--alarm); } svg .stance.shadow, svg .stance.fallback { fill: var(--caution); }
svg .stance.isolated { fill: var(--muted); } svg .stance.serving { fill: var(--good); }
svg .on-band { fill: var(--on-strong); font-size: 12px; font-weight: 600; }
svg .bed { fill: var(--bed); } svg .agree { fill: var(--work); } svg .moved { fill: var(--alarm); }
svg .cell { font-size: 12px; font-variant-numeric: tabular-nums; } svg .cell.on-strong { fill: var(--on-strong); font-weight: 600; }
svg .whisker { stroke-width: 2.5; stroke: var(--work); } svg .whisker.golden { stroke: var(--caution); }
svg .dot { fill: var(--work); } svg .dot.golden { fill: var(--paper); stroke: var(--caution); stroke-width: 2; }
footer { color: var(--muted); font-size: 14px; }
@media screen and (max-width: 720px) {
  body { padding: 22px 12px 40px; font-size: 15px; }
  h1 { font-size: 26px; }
  section { padding: 18px 14px 10px; border-radius: 8px; }
  nav ol { gap: 4px 14px; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; } .figures li { padding: 11px 12px 10px; } .figures strong { font-size: 19px; }
  .pair { grid-template-columns: 1fr; gap: 22px; }
  .wide { display: none; } .narrow { display: block; }
  .figures li:last-child:nth-child(odd) { grid-column: 1 / -1; }
  table { font-size: 13px; } table.broad { min-width: 660px; } td { max-width: 300px; }
}
@media print {
  :root { color-scheme: light; --page: #ffffff; --paper: #ffffff; --ink: #1b1f23; --muted: #50575e; --line: #d5d2c9; --bed: #efede6;
    --work: #2b6777; --alarm: #b3261e; --caution: #8a5a00; --good: #1e6e43; --alarm-bed: #fbe9e6; --caution-bed: #faf0d9; --good-bed: #e4f2e9;
    --plain-bed: #f1f0eb; --on-strong: #ffffff; --hatch: #b9a06a; }
  @page { size: A4; margin: 16mm 14mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav { display: none; } h1 { font-size: 20pt; } h2 { font-size: 13pt; }
  .note, figcaption, .figures .name, .figures .about { font-size: 8.5pt; } .badge { font-size: 8pt; } .figures strong { font-size: 13pt; }
  .figures { grid-template-columns: repeat(5, 1fr); gap: 6px; } .figures li { padding: 8px 10px; } .facts div { grid-template-columns: 92px 1fr; }
  section { border: 0; padding: 0; margin: 0 0 9mm; }
  h2 { break-after: avoid; } figure, .figures li, tr, .facts div { break-inside: avoid; }
  .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding-right: 6px; white-space: normal; overflow-wrap: anywhere; min-width: 0; } table.broad { min-width: 0; } th { overflow-wrap: normal; } td:last-child:not(.end) { min-width: 0; } td code { white-space: normal; }
  .wide { display: block; } .narrow { display: none; } .pair { grid-template-columns: 1fr 1fr; }
}
`;
