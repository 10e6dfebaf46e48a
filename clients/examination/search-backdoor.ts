import { spawn } from 'node:child_process';
import { z } from 'zod';
import { examineResultSchema, triggerImageSchema } from '../../domain/contracts/examination.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { registry } from '../../forensics/analysers/registry.ts';

export interface BackdoorSearch {
  readonly suspect: string;
  readonly golden: string | null;
  /** `.npy` files: clean records and their classes. */
  readonly probes: string;
  readonly labels: string;
  readonly classes: readonly string[];
}

/** The trainer's interpreter and the folder its package is in. */
export interface TrainerHome {
  readonly python: string;
  readonly folder: string;
  readonly cache: string | null;
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
  const answer = await ask(
    trainer,
    ['--suspect', suspect, '--probes', probes, '--labels', labels, ...(golden === null ? [] : ['--golden', golden])],
    tell,
  );
  const parsed = answerSchema.safeParse(answer.value);
  const needs = parsed.success ? answered(parsed.data) : null;
  return (await registry.backdoor.run({ examined: needs, reason: answer.reason, classes })).finish({});
}

function answered({ trigger, figures, ...result }: z.infer<typeof answerSchema>) {
  const text = canonicalJson(figures);
  const named = (name: string, content: string) =>
    ({
      store: 'artifacts',
      digest: digestOf(content),
      bytes: Buffer.byteLength(content),
      mediaType: 'application/json',
      name,
    }) as const;
  const now = new Date().toISOString();
  return {
    trigger,
    result: {
      ...result,
      schema: 'lazaret.examine-result/v1',
      jobId: 'files',
      trigger: trigger && named('trigger.json', canonicalJson(trigger)),
      report: named('examination.json', text),
      startedAt: now,
      finishedAt: now,
    } as const,
  };
}

async function ask(
  { python, folder, cache }: TrainerHome,
  options: readonly string[],
  tell: (words: string) => void,
): Promise<{ value: unknown; reason: string }> {
  const child = spawn(python, ['-m', 'lazaret_trainer.examine', ...options], {
    env: { ...process.env, PYTHONPATH: folder, ...(cache === null ? {} : { LAZARET_TRAINER_CACHE: cache }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let last = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter((text) => text.trim() !== '')) tell((last = line));
  });
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      last = error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (status !== 0) return { value: null, reason: `The search did not end: ${last}` };
  try {
    return { value: JSON.parse(out), reason: 'The answer of the search breaks the contract.' };
  } catch {
    return { value: null, reason: 'The answer of the search is not JSON.' };
  }
}
