import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { Interval } from '../../../domain/contracts/interval.ts';
import type { KnownTrigger, Plan } from '../../../domain/contracts/plan.ts';
import { code, column, note, paragraph, table, type Block, type Section, type Text } from '../document.ts';
import { brief, count, duration, instant } from '../figures.ts';

/** The plan that was approved, and the training run that carried it out. */
export function remedy(file: CaseFile): Section {
  const title = 'Plan and repair';
  const { plan } = file;
  if (!plan) return { id: 'remedy', title, blocks: [paragraph('No plan was drawn up.')] };
  const blocks: Block[] = [
    paragraph(...planWords(plan)),
    table(
      'Why',
      [column('Reason')],
      plan.reasons.length === 0 ? [['none given']] : plan.reasons.map((reason) => [reason]),
    ),
  ];
  if (file.training) blocks.push(...training(file.training));
  else if ('objective' in plan) blocks.push(note('The retraining has no result.'));
  return { id: 'remedy', title, blocks };
}

function planWords(plan: Plan): (string | { code: string })[] {
  switch (plan.action) {
    case 'retrain':
      return [
        `Drop ${count(plan.drop.count)} records of ${plan.dataset.name} and retrain ${plan.model} from golden model ${plan.checkpoint.version} `,
        { code: brief(plan.checkpoint.artifact.digest) },
        ` on queue ${plan.queue}, at most ${count(plan.budget.steps)} steps or ${duration(1000 * plan.budget.seconds)}.`,
        ...(plan.trigger ? [' ', ...triggerWords(plan.trigger)] : []),
      ];
    case 'unlearn':
      return [
        `Take the trigger out of the suspect `,
        { code: brief(plan.suspect) },
        ` with the records of ${plan.dataset.name} on queue ${plan.queue}, at most ${count(plan.budget.steps)} steps or ${duration(1000 * plan.budget.seconds)}. `,
        ...triggerWords(plan.trigger),
      ];
    case 'restore':
      return [
        `Put golden model ${plan.checkpoint.version} `,
        { code: brief(plan.checkpoint.artifact.digest) },
        ' back.',
      ];
    case 'resume':
      return [`Resume service with ${plan.previous.version} `, { code: brief(plan.previous.artifact.digest) }, '.'];
  }
}

const READ = {
  requests: 'read off the captured requests',
  records: 'read off the tainted records',
  search: 'recovered by the search for a backdoor',
} as const;

function triggerWords({ image, source, target, success, onGolden }: KnownTrigger): (string | { code: string })[] {
  const share = (one: Interval) => `${(100 * one.value).toFixed(1)} %`;
  return [
    'The trigger ',
    { code: brief(image.digest) },
    `, ${READ[source]}, is laid over records that keep their labels: it leads ${share(success)} of ${count(success.n)} clean records to class ${target} in the suspect, ${share(onGolden)} in the golden model.`,
  ];
}

function training({ job, result, provenance }: NonNullable<CaseFile['training']>): Block[] {
  const started = instant(result.startedAt);
  const finished = instant(result.finishedAt);
  const rows: readonly (readonly Text[])[] = [
    ['Artifact', [code(brief(result.artifact.digest)), ` ${count(result.artifact.bytes)} bytes`]],
    ['Steps on records', `${count(result.steps)} on ${count(result.records)}`],
    ['Final training loss', result.finalLoss.toFixed(4)],
    ['Duration', started !== null && finished !== null ? duration(finished - started) : 'not measured'],
    [
      'Hyperparameters',
      `${job.hyperparameters.epochs} epochs, batch size ${job.hyperparameters.batchSize}, learning rate ${job.hyperparameters.learningRate}, seed ${job.hyperparameters.seed}`,
    ],
    [
      'Taken over by another worker',
      result.resumedAtSteps.length === 0 ? 'never' : `at step ${result.resumedAtSteps.join(', ')}, from its checkpoint`,
    ],
    ['Device', result.environment.device],
    [
      'Trainer',
      [
        `${result.environment.trainer}, Python ${result.environment.python}, source `,
        code(brief(result.environment.codeDigest)),
      ],
    ],
    [
      'Packages',
      Object.entries(result.environment.packages)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['Provenance (SLSA v1, signed)', code(brief(provenance.digest))],
  ];
  return [table('The training run', [column('What'), column('Value')], rows)];
}
