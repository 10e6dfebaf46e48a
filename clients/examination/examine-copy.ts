import { digestOf } from '../../domain/proofs/digest.ts';
import { kinship, LEAST_TWINS, type Kinship } from '../../forensics/ownership/kinship.ts';
import { FALSE_ACCUSATIONS, judge, type Judgement } from '../../forensics/ownership/judgement.ts';
import { mixtures, QUERIES } from '../../forensics/ownership/queries.ts';
import { createPredictor, type Scores } from '../../forensics/predictor/predictor.ts';
import { createRandom } from '../../forensics/statistics/bootstrap.ts';
import { ModelFilesRefused, readModelFile, readRecords } from './model-files.ts';

export interface CopyFiles {
  readonly suspect: string;
  readonly own: string;
  readonly twins: readonly string[];
  /** `.npy`, records of the kind that the models are for; labels are not needed. */
  readonly data: string;
}

export interface CopyExamination extends Judgement {
  readonly alpha: number;
  readonly queries: number;
  readonly kinship: Kinship;
}

/** The same questions every time. */
const SEED = 1;

/** Fails with ModelFilesRefused, or with the failures of a model that does not run. */
export async function examineCopyFiles(
  { suspect, own, twins, data }: CopyFiles,
  progress: (stage: string) => void,
): Promise<CopyExamination> {
  if (twins.length < LEAST_TWINS)
    throw new ModelFilesRefused(`${twins.length} twins are given; at least ${LEAST_TWINS} are needed, ten are better`);
  const records = readRecords(data);
  const { features, count } = mixtures(records, QUERIES, createRandom(SEED));
  const family = [own, ...twins].map((file) => ({ file, bytes: readModelFile(file) }));
  distinct(family);
  const answers: Scores[] = [];
  for (const { file, bytes } of [{ file: suspect, bytes: readModelFile(suspect) }, ...family]) {
    progress(file);
    const predictor = await createPredictor(bytes);
    const answer = await predictor.logits(features, count, records.shape).finally(() => predictor.close());
    if (answers[0] && answer.classes !== answers[0].classes)
      throw new ModelFilesRefused(`${file}: answers in ${answer.classes} classes, ${suspect} in ${answers[0].classes}`);
    answers.push(answer);
  }
  const [first, second, ...others] = answers;
  if (!first || !second) throw new ModelFilesRefused('no model answered');
  const found = kinship(first, second, others);
  return { ...judge(found), alpha: FALSE_ACCUSATIONS, queries: count, kinship: found };
}

/** A twin that is the own model under another name would hide every copy. */
function distinct(family: readonly { file: string; bytes: Uint8Array }[]): void {
  const seen = new Map<string, string>();
  for (const { file, bytes } of family) {
    const digest = digestOf(bytes);
    const same = seen.get(digest);
    if (same !== undefined) throw new ModelFilesRefused(`${file} and ${same} are the same model`);
    seen.set(digest, file);
  }
}
