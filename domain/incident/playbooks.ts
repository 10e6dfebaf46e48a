import type { AnalyserName, Finding } from '../contracts/finding.ts';
import { ANALYSERS } from '../contracts/finding.ts';
import type { IncidentKind } from './kinds.ts';

/**
 * Which analysers run for a kind, in waves: those of one wave run in parallel and see the findings of the waves before. Every kind asks
 * every question, because an alert's kind is a claim, not a finding.
 */
export function wavesFor(_kind: IncidentKind): readonly (readonly AnalyserName[])[] {
  // The class that the attack was seen to lead to, and its recovered trigger, sharpen the search for its requests and training records.
  const last: readonly AnalyserName[] = ['requests', 'training-records'];
  return [ANALYSERS.filter((analyser) => !last.includes(analyser)), last];
}

export type Remedy = 'retrain' | 'restore' | 'resume';

export interface Proposal {
  readonly remedy: Remedy;
  readonly reasons: readonly string[];
}

function of(findings: readonly Finding[], analyser: AnalyserName): Finding | undefined {
  return findings.find((finding) => finding.analyser === analyser);
}

/**
 * What the findings ask for. Tainted records: drop them and retrain. A compromised model without tainted records (swapped, edited, unsigned):
 * put the golden one back. Everything clean: it was a false alarm, and a person may resume service. Anything undecided restores the golden
 * model: inconclusive never brings a suspect back.
 */
export function propose(findings: readonly Finding[]): Proposal {
  const records = of(findings, 'training-records');
  const tainted = records?.detail?.analyser === 'training-records' ? records.detail.count : 0;
  const alarming = findings.filter((finding) => finding.verdict === 'compromised' || finding.verdict === 'suspicious');
  const reasons = alarming.map((finding) => `${finding.analyser}: ${finding.summary}`);

  if (tainted > 0 && records?.verdict === 'compromised') return { remedy: 'retrain', reasons };
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
