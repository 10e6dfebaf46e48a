import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { latenciesOf } from '../../../domain/incident/canary.ts';
import { code, column, end, paragraph, table, type Block, type Section } from '../document.ts';
import { detailOf } from '../facts/details.ts';
import { share } from '../facts/share.ts';
import { count, measured, percent, plural } from '../figures.ts';
import { bars } from '../pictures/bars.ts';
import { bothWidths } from '../pictures/canvas.ts';

/** What was put back, on whose approval, and how it did on its first traffic. */
export function release(file: CaseFile): Section {
  const title = 'Release and canary';
  const { release } = file;
  if (!release) return { id: 'release', title, blocks: [paragraph('Nothing was released.')] };
  const { subject } = release;
  const blocks: Block[] = [
    paragraph('Version ', code(release.ref.version), ` was released to ${release.endpoints.join(', ')}.`),
    table(
      'What the release approvals bind together',
      [column('Part'), column('Value')],
      [
        ['Artifact', code(subject.artifact)],
        ['Validation report', code(subject.validation)],
        [
          'Evidence root at the gate',
          [code(subject.evidenceRoot), ` over ${plural(subject.evidenceSize, 'entry', 'entries')}`],
        ],
        ['Model signature (OMS)', code(release.ref.signature.digest)],
      ],
    ),
  ];
  if (!release.canary) blocks.push(paragraph('Canary: not measured, the release did not go through one.'));
  else blocks.push(...canary(file, release.canary));
  return { id: 'release', title, blocks };
}

function canary(file: CaseFile, figures: NonNullable<NonNullable<CaseFile['release']>['canary']>): Block[] {
  const classes = detailOf(file, 'behaviour')?.classes ?? [];
  const latencies = latenciesOf(figures.counters);
  const milliseconds = (mean: number | null) => (mean === null ? 'not measured' : `${mean.toFixed(2)} ms`);
  const mix = figures.classMix.map((part, index) => ({
    label: classes[index] ?? `class ${index}`,
    value: part,
    part: 0,
    words: percent(part),
  }));
  const blocks: Block[] = [
    table(
      'Canary figures',
      [column('Figure'), end('Candidate'), end('Golden profile')],
      [
        ['Answers observed', count(figures.requests), '–'],
        ['Failed answers', measured(share(figures.errors, figures.requests)), '–'],
        ['Mean top score', figures.meanConfidence.toFixed(3), figures.goldenMeanConfidence.toFixed(3)],
        [
          'Mean latency on the gateway',
          milliseconds(latencies.candidate),
          `${milliseconds(latencies.live)} (beside it)`,
        ],
      ],
    ),
  ];
  if (mix.length > 0 && mix.length <= 24) {
    blocks.push({
      kind: 'picture',
      caption: 'Share of the canary’s answers by class.',
      pictures: bothWidths((width) =>
        bars(
          'canary',
          mix,
          {
            title: 'Answers of the canary by class',
            description: mix.map((bar) => `${bar.label}: ${bar.words}`).join('; '),
          },
          { width, log: false, tick: percent },
        ),
      ),
    });
  }
  return blocks;
}
