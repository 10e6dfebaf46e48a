import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { GateResult, ValidationFigure } from '../../../domain/contracts/plan.ts';
import { isDigest } from '../../../domain/proofs/digest.ts';
import { code, column, paragraph, strong, table, verdict, type Block, type Section, type Text } from '../document.ts';
import { brief, isProportion, measured } from '../figures.ts';
import { bothWidths } from '../pictures/canvas.ts';
import { whiskers, type WhiskerRow } from '../pictures/whiskers.ts';

/** Every gate with its figure, its interval, the golden model's figure, and why the threshold is what it is. */
export function validation(file: CaseFile): Section {
  const report = file.validation;
  const title = 'Validation';
  if (!report) return { id: 'validation', title, blocks: [paragraph('No candidate was validated.')] };
  const rows = report.gates.flatMap(whiskerOf);
  const picture: Block[] =
    rows.length === 0
      ? []
      : [
          {
            kind: 'picture',
            caption:
              'Candidate (filled) over golden model (ring), each with its confidence interval. Every row has a scale of its own.',
            pictures: bothWidths((width) => whiskers(rows, width)),
          },
        ];
  return {
    id: 'validation',
    title,
    blocks: [
      paragraph(
        'Verdict: ',
        verdict(report.verdict),
        '. Candidate ',
        code(brief(report.candidate.digest)),
        ' against golden model ',
        code(brief(report.golden)),
        ', on hold-out ',
        code(brief(report.holdout)),
        ', which neither was trained on.',
      ),
      ...picture,
      table(
        'Gates',
        [
          column('Gate'),
          column('Verdict'),
          column('Candidate'),
          column('Golden model'),
          column('Threshold'),
          column('Why'),
        ],
        report.gates.map((gate) => [
          [strong(gate.title)],
          [verdict(gate.verdict)],
          figureText(gate.figure),
          figureText(gate.golden),
          gate.threshold,
          gate.reason,
        ]),
      ),
      ...beside(report.figures ?? []),
      ...terms(report.gates),
    ],
  };
}

function beside(figures: readonly ValidationFigure[]): Block[] {
  if (figures.length === 0) return [];
  return [
    table(
      'Told beside the gates; they decide nothing',
      [column('Figure'), column('Candidate'), column('Golden model'), column('In words')],
      figures.map(({ title, figure, golden, words }) => [
        [strong(title)],
        figureText(figure),
        figureText(golden),
        words,
      ]),
    ),
  ];
}

/** What a gate speaks to. Passing it is no conformity, and the caption says so. */
function terms(gates: readonly GateResult[]): Block[] {
  const named = gates.filter((gate) => (gate.terms?.length ?? 0) > 0);
  if (named.length === 0) return [];
  return [
    table(
      'What regulators and standards call it; a gate that passes speaks to the term and is no conformity with it',
      [column('Gate'), column('Term')],
      named.map((gate) => [gate.title, (gate.terms ?? []).join('; ')]),
    ),
  ];
}

/** Digests are shortened like everywhere: the evidence section has them whole. */
function figureText(figure: GateResult['figure']): Text {
  return typeof figure === 'string' && isDigest(figure) ? code(brief(figure)) : measured(figure);
}

function whiskerOf(gate: GateResult): WhiskerRow[] {
  const { figure, golden } = gate;
  if (typeof figure !== 'object' || figure === null || !isProportion(figure)) return [];
  const other = typeof golden === 'object' && golden !== null && isProportion(golden) ? golden : null;
  return [{ label: gate.title, candidate: figure, golden: other }];
}
