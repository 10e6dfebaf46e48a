import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { BehaviourDetail } from '../../../domain/contracts/finding.ts';
import { code, column, end, paragraph, strong, table, verdict, type Block, type Section } from '../document.ts';
import { detailOf } from '../facts/details.ts';
import { brief, percent, pValue, withInterval } from '../figures.ts';

/** What every analyser was asked and what it answered. */
export function findings(file: CaseFile): Section {
  const blocks: Block[] = [];
  if (file.findings.length === 0) blocks.push(paragraph('No analyser has answered.'));
  else {
    blocks.push(
      table(
        'Findings',
        [column('Question'), column('Verdict'), column('Confidence'), column('Answer')],
        file.findings.map((finding) => [
          [strong(finding.analyser), ` ${finding.question}`],
          [verdict(finding.verdict)],
          finding.confidence === null ? 'not calibrated' : percent(finding.confidence),
          finding.failure
            ? `${finding.summary} (${finding.failure.code}: ${finding.failure.message})`
            : finding.summary,
        ]),
      ),
    );
  }
  blocks.push(...signature(file), ...graph(file), ...behaviour(file));
  return { id: 'findings', title: 'What was found', blocks };
}

function signature(file: CaseFile): Block[] {
  const detail = detailOf(file, 'signature');
  if (!detail) return [];
  const same = detail.served === detail.golden;
  return [
    paragraph(
      strong('Bytes. '),
      'Served: ',
      code(brief(detail.served)),
      ', golden: ',
      code(brief(detail.golden)),
      same ? ', the same bytes. ' : ', different bytes. ',
      detail.signedBy === null
        ? 'No trusted key vouches for the served bytes'
        : `Key "${detail.signedBy}" vouches for the served bytes`,
      detail.reason === null ? '.' : `: ${detail.reason}.`,
    ),
  ];
}

function graph(file: CaseFile): Block[] {
  const detail = detailOf(file, 'graph');
  if (!detail) return [];
  if (detail.differences.length === 0)
    return [paragraph(strong('Graph. '), 'The graph is the golden one, node by node; only weights can differ.')];
  return [
    table(
      'Differences of the graph against the golden model',
      [column('Difference')],
      detail.differences.map((difference) => [difference]),
    ),
  ];
}

function behaviour(file: CaseFile): Block[] {
  const detail = detailOf(file, 'behaviour');
  if (!detail) return [];
  return [
    table(
      'Suspect against golden model',
      [column('Figure'), column('Value')],
      [
        [`Agreement on ${detail.requests} captured requests`, withInterval(detail.agreement)],
        ['Agreement on the probe set', withInterval(detail.probeAgreement)],
        [
          'Mean top score, suspect / golden',
          `${detail.confidenceSuspect.toFixed(3)} / ${detail.confidenceGolden.toFixed(3)}`,
        ],
        ...besideTheRequests(detail),
      ],
    ),
    ...apart(detail),
  ];
}

/** What was measured on clean records alone; older incidents have none of it. */
function besideTheRequests({ perturbed, sureness }: BehaviourDetail): readonly (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  if (perturbed) {
    const { value, low, high, n, noise } = perturbed;
    rows.push([
      `Agreement on ${n} clean records, each feature moved by up to ${percent(noise)} of its range`,
      `${percent(value)} [${percent(low)}, ${percent(high)}], asked until it was clear`,
    ]);
  }
  if (sureness?.shift) rows.push(['Suspect surer than golden on clean records, by', withInterval(sureness.shift)]);
  if (sureness?.eceSuspect) rows.push(['Calibration error of the suspect', withInterval(sureness.eceSuspect)]);
  if (sureness?.eceGolden) rows.push(['Calibration error of the golden model', withInterval(sureness.eceGolden)]);
  return rows;
}

const MOST_CLASSES = 5;

function apart({ classesApart = [], classes }: BehaviourDetail): Block[] {
  if (classesApart.length === 0) return [];
  return [
    table(
      'Clean records by class: where suspect and golden model part most',
      [column('Class'), column('Agreement'), end('p-value against the other classes')],
      classesApart
        .slice(0, MOST_CLASSES)
        .map(({ label, agreement, pValue: p }) => [
          classes[label] ?? String(label),
          withInterval(agreement),
          pValue(p),
        ]),
    ),
  ];
}
