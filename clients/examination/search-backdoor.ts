import { z } from 'zod';
import { examineResultSchema, triggerImageSchema } from '../../domain/contracts/examination.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import { registry } from '../../forensics/analysers/registry.ts';
import { askTrainer, jsonRef, type TrainerHome } from './trainer-command.ts';

export interface BackdoorSearch {
  readonly suspect: string;
  readonly golden: string | null;
  /** `.npy` files: clean records and their classes. */
  readonly probes: string;
  readonly labels: string;
  readonly classes: readonly string[];
}

const answerSchema = examineResultSchema
  .pick({
    verdict: true,
    summary: true,
    methods: true,
    target: true,
    success: true,
    flip: true,
    pValue: true,
    falseAlarmBudget: true,
  })
  .extend({ trigger: triggerImageSchema.nullable(), figures: z.unknown() });

/** The search of an incident, run on files by a trainer of this machine. What stops it is an open question with a reason. */
export async function searchBackdoor(
  search: BackdoorSearch,
  trainer: TrainerHome,
  tell: (words: string) => void,
): Promise<Finding> {
  const { suspect, golden, probes, labels, classes } = search;
  const answer = await askTrainer(
    trainer,
    'examine',
    ['--suspect', suspect, '--probes', probes, '--labels', labels, ...(golden === null ? [] : ['--golden', golden])],
    tell,
  );
  const parsed = answerSchema.safeParse(answer.value);
  const needs = parsed.success ? answered(parsed.data) : null;
  return (await registry.backdoor.run({ examined: needs, reason: answer.reason, classes })).finish({});
}

function answered({ trigger, figures, ...result }: z.infer<typeof answerSchema>) {
  const now = new Date().toISOString();
  return {
    trigger,
    result: {
      ...result,
      schema: 'lazaret.examine-result/v1',
      jobId: 'files',
      trigger: trigger && jsonRef(trigger, 'trigger.json'),
      report: jsonRef(figures, 'examination.json'),
      startedAt: now,
      finishedAt: now,
    } as const,
  };
}
