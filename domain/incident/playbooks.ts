import type { AnalyserName, Finding } from '../contracts/finding.ts';
import { ANALYSERS } from '../contracts/finding.ts';
import type { IncidentKind } from './kinds.ts';

/**
 * Which analysers run for a kind, in waves: those of one wave run in parallel and see the findings of the waves before. Every kind asks
 * every question, because an alert's kind is a claim, not a finding.
 */
export function wavesFor(_kind: IncidentKind): readonly (readonly AnalyserName[])[] {
  // The class that the attack was seen to lead to, and its recovered trigger, sharpen the search for its requests and training records. What
  // goes on inside the model is asked of the trainer with the first wave and answered there behind the search for a backdoor.
  const last: readonly AnalyserName[] = ['requests', 'activations', 'training-records'];
  return [ANALYSERS.filter((analyser) => !last.includes(analyser)), last];
}

export type Remedy = 'retrain' | 'unlearn' | 'restore' | 'resume';

export interface Proposal {
  readonly remedy: Remedy;
  readonly reasons: readonly string[];
}

/** What a repair could be made of, beside the findings. */
export interface Circumstances {
  /** Provenance that verifies names the data set of the suspect, so that records can be dropped from it. */
  readonly dataKnown: boolean;
  /** A trigger was read off or recovered, and the suspect yields to it. */
  readonly triggerKnown: boolean;
  /** What is wrong with the suspect sits in its weights: nodes and their order are the golden model's. */
  readonly sameGraph: boolean;
  /** Clean labelled records that may teach. The hold-out is not among them: it judges. */
  readonly cleanRecords: number;
  /** Points of accuracy on the hold-out that are lost where the golden model takes the suspect's place; null where that is not known. */
  readonly lostByRestoringPp: number | null;
  /** How many of them a repair may lose. */
  readonly maxAccuracyDropPp: number;
}

/** Where nobody looked: the findings alone decide, and nothing is made out of the suspect. */
export const NOTHING_BESIDE: Circumstances = {
  dataKnown: true,
  triggerKnown: false,
  sameGraph: false,
  cleanRecords: 0,
  lostByRestoringPp: null,
  maxAccuracyDropPp: 0,
};

/** A trigger was unlearnt with 280 to 300 clean records (docs/training.md); with fewer it was not tried. */
export const LEAST_CLEAN_RECORDS = 280;

function of(findings: readonly Finding[], analyser: AnalyserName): Finding | undefined {
  return findings.find((finding) => finding.analyser === analyser);
}

/**
 * What the findings ask for. Tainted records: drop them and retrain. A compromised model without tainted records (swapped, edited, unsigned, of
 * unknown data): put the golden one back; only where that would cost more accuracy than a repair may, and the trigger is known, is the trigger
 * taken out of the suspect itself. Everything clean: it was a false alarm, and a person may resume service. Anything undecided restores the
 * golden model: inconclusive never brings a suspect back.
 */
export function propose(findings: readonly Finding[], beside: Circumstances = NOTHING_BESIDE): Proposal {
  const records = of(findings, 'training-records');
  const tainted = records?.detail?.analyser === 'training-records' ? records.detail.count : 0;
  const alarming = findings.filter((finding) => finding.verdict === 'compromised' || finding.verdict === 'suspicious');
  const reasons = alarming.map((finding) => `${finding.analyser}: ${finding.summary}`);

  if (tainted > 0 && records?.verdict === 'compromised' && beside.dataKnown) return { remedy: 'retrain', reasons };
  if (worthUnlearning(findings, beside))
    return {
      remedy: 'unlearn',
      reasons: [
        ...reasons,
        `the golden model is ${(beside.lostByRestoringPp ?? 0).toFixed(1)} percentage points less accurate than the suspect, and the trigger is known`,
      ],
    };
  if (alarming.length > 0) return { remedy: 'restore', reasons };
  const behaviour = of(findings, 'behaviour');
  const signature = of(findings, 'signature');
  // A file that nobody could look into is not brought back because it behaved well while it was watched.
  const unread = of(findings, 'structure')?.verdict === 'inconclusive';
  if (behaviour?.verdict === 'clean' && signature?.verdict === 'clean' && !unread) {
    return {
      remedy: 'resume',
      reasons: ['the served model is the golden one or answers like it, and nothing else was found'],
    };
  }
  return {
    remedy: 'restore',
    reasons: ['the findings are inconclusive, and an inconclusive finding never brings a suspect back'],
  };
}

/**
 * Is the suspect itself to be repaired? Only where a backdoor in its weights is what was found, and restoring the golden model would lose what
 * the suspect learnt honestly. Whatever else was planted in it stays in it: the gates of the validation judge what comes out.
 */
function worthUnlearning(findings: readonly Finding[], beside: Circumstances): boolean {
  const backdoored = (['behaviour', 'backdoor'] as const).some((name) => of(findings, name)?.verdict === 'compromised');
  const broken = (['structure', 'graph'] as const).some((name) => {
    const verdict = of(findings, name)?.verdict;
    return verdict === 'compromised' || verdict === 'suspicious' || verdict === 'inconclusive';
  });
  const { lostByRestoringPp, maxAccuracyDropPp } = beside;
  return (
    backdoored &&
    !broken &&
    beside.triggerKnown &&
    beside.sameGraph &&
    beside.cleanRecords >= LEAST_CLEAN_RECORDS &&
    lostByRestoringPp !== null &&
    lostByRestoringPp > maxAccuracyDropPp
  );
}

/** A batch is the source of the taint when its share of tainted records could hardly be chance (exact test, corrected). */
const ENRICHED = 0.01;

/** Endpoints whose model was trained on a batch that the tainted records come from. */
export function descendants(findings: readonly Finding[], origin: string): readonly string[] {
  const lineage = of(findings, 'lineage')?.detail;
  const records = of(findings, 'training-records')?.detail;
  const behaviour = of(findings, 'behaviour');
  if (lineage?.analyser !== 'lineage') return [];
  const tainted = new Set(
    records?.analyser === 'training-records'
      ? records.byBatch.filter((batch) => batch.tainted > 0 && batch.pValue < ENRICHED).map((batch) => batch.batch)
      : [],
  );
  const own = lineage.endpoints.find((endpoint) => endpoint.endpoint === origin);
  return lineage.endpoints
    .filter((endpoint) => endpoint.endpoint !== origin)
    .filter(
      (endpoint) =>
        endpoint.newBatches.some((batch) => tainted.has(batch)) ||
        // The same bytes that were seen to misbehave, whatever they were trained on.
        (behaviour?.verdict === 'compromised' && endpoint.artifact !== null && endpoint.artifact === own?.artifact),
    )
    .map((endpoint) => endpoint.endpoint)
    .sort();
}
