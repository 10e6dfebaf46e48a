import { z } from 'zod';
import { explainResultSchema, influencesSchema, saliencyMapSchema } from '../../domain/contracts/activations.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import { registry } from '../../forensics/analysers/registry.ts';
import { columnsOf, FALSE_ALARM_BUDGET } from './examine-model.ts';
import type { LabelledTable } from './model-files.ts';
import { askTrainer, jsonRef, type TrainerHome } from './trainer-command.ts';

export interface ModelExplanation {
  readonly suspect: string;
  readonly golden: string;
  /** `.npy` files: clean records and their classes, what clients sent, what the suspect was trained on. */
  readonly probes: string;
  readonly labels: string;
  readonly requests: string;
  readonly trained: { readonly records: string; readonly recordLabels: string } | null;
  /** `trained`, as it was read. */
  readonly table: LabelledTable | null;
  readonly classes: readonly string[];
}

const answerSchema = explainResultSchema
  .pick({ requests: true, suspects: true, layers: true, dormant: true, patterns: true })
  .extend({ saliency: saliencyMapSchema.nullable(), influence: influencesSchema.nullable(), report: z.unknown() });

/** The look inside of an incident, run on files by a trainer of this machine. What stops it is an open question with a reason. */
export async function explainModel(
  about: ModelExplanation,
  trainer: TrainerHome,
  tell: (words: string) => void,
): Promise<Finding> {
  const { suspect, golden, probes, labels, requests, trained, table, classes } = about;
  const options = ['--suspect', suspect, '--golden', golden, '--probes', probes, '--labels', labels];
  const records = trained ? ['--records', trained.records, '--record-labels', trained.recordLabels] : [];
  const answer = await askTrainer(trainer, 'explain', [...options, '--requests', requests, ...records], tell);
  const parsed = answerSchema.safeParse(answer.value);
  const analysis = await registry.activations.run({
    explained: parsed.success ? answered(parsed.data) : null,
    reason: answer.reason,
    records: table && columnsOf(table),
    classes,
    falseAlarmBudget: FALSE_ALARM_BUDGET,
  });
  const { pulling } = analysis.attachments;
  return analysis.finish({ pulling: pulling && jsonRef(pulling, 'pulling-records.json') });
}

function answered({ saliency, influence, report, ...result }: z.infer<typeof answerSchema>) {
  const now = new Date().toISOString();
  return {
    saliency,
    influences: influence,
    result: {
      ...result,
      schema: 'lazaret.explain-result/v1',
      jobId: 'files',
      saliency: saliency && jsonRef(saliency, 'saliency.json'),
      influence: influence && jsonRef(influence, 'influences.json'),
      report: jsonRef(report, 'explanation.json'),
      startedAt: now,
      finishedAt: now,
    } as const,
  };
}
