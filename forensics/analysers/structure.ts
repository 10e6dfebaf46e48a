import type { Finding, StructureDetail } from '../../domain/contracts/finding.ts';
import { RULES, scanStructure } from '../structure/scan.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';
import { counted, listed } from './wording.ts';

export interface StructureNeeds {
  /** The bytes of the models; null where they were not captured or are not on record. */
  readonly suspect: Uint8Array | null;
  readonly golden: Uint8Array | null;
  /** Sizes of the files beside the suspect by path; null where nobody knows them. */
  readonly externalFiles: ReadonlyMap<string, number> | null;
}

const asked = {
  analyser: 'structure',
  question: 'Does the file hide something: a backdoor in its graph, a payload, a trap for whoever loads it?',
} as const;

const MAX_FINDINGS = 50;
const MEANINGS: ReadonlyMap<string, string> = new Map(RULES.map((rule) => [rule.id, rule.meaning]));

/**
 * Reads the file leniently, where the analyser `graph` refuses: a file made to be unreadable is an alarm here. It needs no golden model; with
 * one, what the approved graph has as well is no alarm, and what is new weighs more.
 */
export const structureAnalyser: Analyser<StructureNeeds> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(judge(needs)),
};

function judge({ suspect, golden, externalFiles }: StructureNeeds): Finding {
  if (suspect === null) return inconclusive(asked, 'The bytes of the suspect were not captured.');
  const report = scanStructure(suspect, { ...(golden && { golden }), ...(externalFiles && { externalFiles }) });
  const detail: StructureDetail = {
    analyser: 'structure',
    alarms: report.alarms,
    notes: report.notes,
    compared: golden !== null,
    findings: report.findings.slice(0, MAX_FINDINGS),
    examined: report.examined,
  };
  const told = { ...asked, confidence: null, detail, failure: null };
  const { nodes, graphs, tensors } = report.examined;
  const size = `${counted(nodes, 'node')} in ${counted(graphs, 'graph')}, ${counted(tensors, 'tensor')}`;
  if (report.alarms === 0)
    return { ...told, verdict: 'clean', summary: `Nothing suspicious in ${size}; ${counted(report.notes, 'note')}.` };
  const alarms = report.findings.filter((finding) => finding.level === 'alarm');
  const kinds = [...new Set(alarms.map((finding) => finding.rule))];
  const [first] = alarms;
  const meaning = first && (MEANINGS.get(first.rule) ?? first.words);
  return {
    ...told,
    // A gate or a payload is written on purpose; a broken encoding may also be a broken tool.
    verdict: kinds.some(onPurpose) ? 'compromised' : 'suspicious',
    summary: `${counted(report.alarms, 'alarm')} in ${size}: ${listed(kinds)}. ${meaning ?? ''}`.trim(),
  };
}

const onPurpose = (rule: string): boolean =>
  /^(gate|size)\/|^(tensor|text)\/(program|code|low-bits|encoded)$|^operator\/code$|^external\/path$/.test(rule);
