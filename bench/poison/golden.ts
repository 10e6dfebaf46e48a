import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readLabels } from '../../clients/examination/npy-arrays.ts';
import { triggerImageSchema } from '../../domain/contracts/examination.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { behaviourAnalyser } from '../../forensics/analysers/behaviour.ts';
import { trainingRecordsAnalyser } from '../../forensics/analysers/training-records.ts';
import { createPredictor, type Predictor } from '../../forensics/predictor/predictor.ts';
import type { Case } from './cases.ts';
import { BUDGET, columnsOf, f1Of } from './judge.ts';

/** What is known of the attack beside the records: nothing, the captured requests, or the trigger that the search for a backdoor recovered. */
export type Known = 'nothing' | 'captured' | 'inverted';

export interface JudgedWithGolden {
  readonly about: Case['about'];
  readonly golden: 'strong' | 'weak';
  /** Of the golden model, on the records before they were poisoned. */
  readonly accuracy: number;
  readonly known: Known;
  readonly f1: number;
  readonly alarm: boolean;
  readonly falselyMarked: number;
  readonly seconds: number;
  readonly words: string;
}

const triggerSchema = z.object({ target: z.number(), image: triggerImageSchema });

/** Training records beside a golden model, with what an incident knows of the attack and without. */
export async function judgeWithGolden(one: Case): Promise<readonly JudgedWithGolden[]> {
  const accuracies = one.about.golden;
  if (!accuracies) return [];
  const suspect = await createPredictor(one.suspect);
  const judged: JudgedWithGolden[] = [];
  try {
    for (const kind of ['strong', 'weak'] as const) {
      const golden = await createPredictor(await readFile(join(one.place, `golden-${kind}.onnx`)));
      try {
        for (const known of ['nothing', 'captured', 'inverted'] as const) {
          const result = await judgeOnce(one, suspect, golden, known);
          if (result) judged.push({ about: one.about, golden: kind, accuracy: accuracies[kind], known, ...result });
        }
      } finally {
        await golden.close();
      }
    }
  } finally {
    await suspect.close();
  }
  return judged;
}

async function judgeOnce(one: Case, suspect: Predictor, golden: Predictor, known: Known) {
  const { about, records, probes, tainted } = one;
  const attack = known === 'captured' ? await captured(one, suspect, golden) : null;
  const trigger = known === 'inverted' ? await recovered(one.place) : null;
  // Where nothing was captured or recovered, the question is that of `nothing`.
  if (known !== 'nothing' && !attack && !trigger) return null;
  const labels = readLabels(join(one.place, 'probes-y.npy'));
  const began = performance.now();
  const analysis = await trainingRecordsAnalyser.run({
    records: columnsOf(one),
    golden,
    holdout: columnsOf({ records: probes, labels }),
    featureShape: records.shape,
    classes: Array.from({ length: about.classes }, (_, label) => String(label)),
    attackTarget: attack?.target ?? trigger?.target ?? null,
    captured: attack?.requests ?? [],
    trigger,
    suspect,
    newBatches: null,
    falseAlarmBudget: BUDGET,
  });
  const seconds = (performance.now() - began) / 1000;
  const ids = analysis.attachments.taintedIds ?? [];
  const { f1, falselyMarked } = f1Of(ids.map(Number), tainted);
  return {
    f1,
    alarm: ids.length > 0,
    falselyMarked,
    seconds,
    words: `F1 ${f1.toFixed(3)}, ${ids.length} marked, ${(100 * falselyMarked).toFixed(2)} % of clean ones (${seconds.toFixed(1)} s)`,
  };
}

async function captured({ records, probes, requests, about }: Case, suspect: Predictor, golden: Predictor) {
  const width = requests.features.length / requests.count;
  const analysis = await behaviourAnalyser.run({
    requests: Array.from({ length: requests.count }, (_, row) => ({
      id: String(row),
      input: Array.from(requests.features.subarray(row * width, (row + 1) * width)),
      answered: null,
    })),
    suspect,
    golden,
    probes,
    featureShape: records.shape,
    classes: Array.from({ length: about.classes }, (_, label) => String(label)),
  });
  const { attackRequests } = analysis.attachments;
  if (!attackRequests) return null;
  const text = JSON.stringify(attackRequests);
  const { detail } = analysis.finish({
    attackRequests: {
      store: 'artifacts',
      digest: digestOf(text),
      bytes: text.length,
      mediaType: 'application/json',
      name: 'x',
    },
  });
  return detail?.analyser === 'behaviour' && detail.attack
    ? { target: detail.attack.targetClass, requests: attackRequests }
    : null;
}

async function recovered(place: string) {
  const file = join(place, 'trigger.json');
  return existsSync(file) ? triggerSchema.parse(JSON.parse(await readFile(file, 'utf8'))) : null;
}
