import { digestOf } from '../../domain/proofs/digest.ts';
import { requestsAnalyser } from '../../forensics/analysers/requests.ts';
import type { Predictor } from '../../forensics/predictor/predictor.ts';
import type { Case } from './cases.ts';

/** What the test of requests makes of a window in which a quarter carries the trigger, or none. */
export interface JudgedRequests {
  /** Flagged, of those that carry the trigger; null where none does. */
  readonly recall: number | null;
  readonly alarm: boolean;
}

export async function judgeRequests(one: Case, suspect: Predictor, budget: number): Promise<JudgedRequests> {
  const { probes, requests, carries, about } = one;
  const width = requests.features.length / requests.count;
  const analysis = await requestsAnalyser.run({
    requests: Array.from({ length: requests.count }, (_, row) => ({
      id: String(row),
      input: Array.from(requests.features.subarray(row * width, (row + 1) * width)),
      answered: null,
    })),
    suspect,
    probes,
    trigger: null,
    featureShape: requests.shape,
    classes: Array.from({ length: about.classes }, (_, label) => String(label)),
    falseAlarmBudget: budget,
  });
  const flagged = analysis.attachments.flagged ?? [];
  const text = JSON.stringify(flagged);
  const { verdict } = analysis.finish({
    flagged:
      flagged.length === 0
        ? null
        : { store: 'artifacts', digest: digestOf(text), bytes: text.length, mediaType: 'application/json', name: 'x' },
  });
  const carriers = carries.reduce((sum, carrier) => sum + carrier, 0);
  return {
    recall: carriers === 0 ? null : flagged.filter(({ id }) => carries[Number(id)] === 1).length / carriers,
    alarm: verdict === 'suspicious',
  };
}
