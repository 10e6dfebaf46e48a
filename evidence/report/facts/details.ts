import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { AnalyserName, Finding, FindingDetail } from '../../../domain/contracts/finding.ts';

type DetailOf<A extends AnalyserName> = FindingDetail & { readonly analyser: A };

export function findingOf(file: CaseFile, analyser: AnalyserName): Finding | null {
  return file.findings.find((finding) => finding.analyser === analyser) ?? null;
}

/** What an analyser measured; null where it did not run, crashed, or has nothing to show. */
export function detailOf<A extends AnalyserName>(file: CaseFile, analyser: A): DetailOf<A> | null {
  const detail = findingOf(file, analyser)?.detail ?? null;
  return detail !== null && isOf(detail, analyser) ? detail : null;
}

function isOf<A extends AnalyserName>(detail: FindingDetail, analyser: A): detail is DetailOf<A> {
  return detail.analyser === analyser;
}
