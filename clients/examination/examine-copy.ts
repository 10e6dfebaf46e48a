import { digestOf } from '../../domain/proofs/digest.ts';
import { kinship, LEAST_TWINS, type Kinship } from '../../forensics/ownership/kinship.ts';
import { mixtures } from '../../forensics/ownership/queries.ts';
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

export interface CopyExamination {
  /** `derived`: nothing but descent explains it. `not-shown` is no proof of independence. */
  readonly verdict: 'derived' | 'not-shown' | 'inconclusive';
  readonly reason: string;
  readonly alpha: number;
  readonly queries: number;
  readonly kinship: Kinship;
}

/** Share of models that owe the own one nothing and are called its copies all the same. */
export const FALSE_ACCUSATIONS = 0.01;
/** Below this the own model is none of its twins' family: trained otherwise than they. */
const STRANGER = 0.01;
const QUERIES = 3_000;
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
  return { ...judged(kinship(first, second, others)), alpha: FALSE_ACCUSATIONS, queries: count };
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

function judged(found: Kinship): Pick<CopyExamination, 'verdict' | 'reason' | 'kinship'> {
  const { own, twins, pValue, familyPValue } = found;
  if (![own, ...twins].every(Number.isFinite))
    return { verdict: 'inconclusive', reason: 'A model gives every question the same answer.', kinship: found };
  if (familyPValue < STRANGER)
    return {
      verdict: 'inconclusive',
      reason:
        'The own model is not like its twins: they were trained otherwise than it was, so that nothing follows from the comparison.',
      kinship: found,
    };
  return pValue <= FALSE_ACCUSATIONS
    ? {
        verdict: 'derived',
        reason:
          'The suspect is nearer to the own model than to models that were made in the same way: it descends from it.',
        kinship: found,
      }
    : {
        verdict: 'not-shown',
        reason: 'The suspect is no nearer to the own model than chance explains. That proves no independence.',
        kinship: found,
      };
}
