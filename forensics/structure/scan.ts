import { readModel } from '../onnx/reader.ts';
import { graphHash } from '../onnx/graph-hash.ts';
import { indexOf } from './file/names.ts';
import { readScanned } from './file/read.ts';
import { goldenHits } from './golden.ts';
import type { Level, Rule, Subject } from './rule.ts';
import { encodingRules } from './rules/encoding.ts';
import { externalRules } from './rules/external.ts';
import { gateRules } from './rules/gates.ts';
import { nameRules } from './rules/names.ts';
import { operatorRules } from './rules/operators.ts';
import { reachRules } from './rules/reach.ts';
import { sizeRules } from './rules/size.ts';
import { tensorRules } from './rules/tensors.ts';
import { textRules } from './rules/texts.ts';
import { wiringRules } from './rules/wiring.ts';

export const RULES: readonly Rule[] = [
  ...gateRules,
  ...operatorRules,
  ...externalRules,
  ...tensorRules,
  ...textRules,
  ...nameRules,
  ...wiringRules,
  ...reachRules,
  ...sizeRules,
  ...encodingRules,
];

export interface StructureFinding {
  readonly rule: string;
  readonly level: Level;
  readonly place: string;
  readonly words: string;
  /** Where a golden model is at hand: it has the same. */
  readonly inGolden: boolean;
}

export interface StructureReport {
  /** Alarms first, in the order of the rules; at most MAX_PER_RULE for each rule and level. */
  readonly findings: readonly StructureFinding[];
  /** Counts before the list was cut. */
  readonly alarms: number;
  readonly notes: number;
  readonly examined: {
    readonly bytes: number;
    readonly graphs: number;
    readonly nodes: number;
    readonly functions: number;
    readonly tensors: number;
    readonly texts: number;
  };
}

export interface ScanOptions {
  /** The bytes of the golden model: what it has as well is no alarm in the same graph, and what is new weighs more. */
  readonly golden?: Uint8Array;
  /** Sizes in bytes of the files beside the model by path relative to it; left out where nobody knows them. */
  readonly externalFiles?: ReadonlyMap<string, number>;
}

const MAX_PER_RULE = 20;
const MAX_WORDS = 400;

/**
 * Looks for suspicious structure in every place of an ONNX file. Never throws for anything the bytes hold: a rule that breaks on a hostile
 * file is an alarm. Time and memory are linear in the file.
 */
export function scanStructure(bytes: Uint8Array, options: ScanOptions = {}): StructureReport {
  const subject = subjectOf(bytes, options.externalFiles ?? null);
  const own = collect(subject);
  const findings = options.golden === undefined ? own : against(own, bytes, options.golden, subject);
  const { model } = subject;
  return {
    findings: shortened(findings),
    alarms: findings.filter((finding) => finding.level === 'alarm').length,
    notes: findings.filter((finding) => finding.level === 'note').length,
    examined: {
      bytes: bytes.byteLength,
      graphs: model.scopes.length,
      nodes: model.scopes.reduce((sum, scope) => sum + scope.nodes.length, 0),
      functions: model.functions.length,
      tensors: model.tensors.length,
      texts: model.texts.length,
    },
  };
}

function subjectOf(bytes: Uint8Array, externalFiles: Subject['externalFiles']): Subject {
  const model = readScanned(bytes);
  return { model, index: indexOf(model), bytes, externalFiles };
}

interface Found extends StructureFinding {
  readonly alarmingWhenNew: boolean;
}

function collect(subject: Subject): readonly Found[] {
  return RULES.flatMap((rule) => {
    const found: Found[] = [];
    const add = (level: Level, place: string, words: string) =>
      found.push({
        rule: rule.id,
        level,
        place: plain(place),
        words: plain(words),
        inGolden: false,
        alarmingWhenNew: rule.alarmingWhenNew ?? false,
      });
    try {
      for (const hit of rule.check(subject)) add(hit.level ?? rule.level, hit.place, hit.words);
    } catch (error) {
      add('alarm', 'model', `the rule broke on this file: ${error instanceof Error ? error.message : String(error)}`);
    }
    return found;
  });
}

/** Names out of a hostile file end up on terminals and pages. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is taken out
  return text.replace(/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '·').slice(0, MAX_WORDS);
}

const key = (finding: StructureFinding): string => JSON.stringify([finding.rule, finding.place, finding.words]);

function against(own: readonly Found[], bytes: Uint8Array, golden: Uint8Array, subject: Subject): readonly Found[] {
  const approved = subjectOf(golden, subject.externalFiles);
  const known = new Set(collect(approved).map(key));
  const same = sameGraph(bytes, golden);
  const judged = own.map((finding): Found => {
    const inGolden = known.has(key(finding));
    if (inGolden) return { ...finding, inGolden, level: same ? 'note' : finding.level };
    return finding.alarmingWhenNew ? { ...finding, level: 'alarm' } : finding;
  });
  const added = goldenHits(subject.model, approved.model).map((hit): Found => ({
    rule: hit.rule,
    level: 'alarm',
    place: plain(hit.place),
    words: plain(hit.words),
    inGolden: false,
    alarmingWhenNew: true,
  }));
  return [...added, ...judged];
}

/** By the canonical graph hash; by the bytes where one of them cannot be read as strictly as that needs. */
function sameGraph(suspect: Uint8Array, golden: Uint8Array): boolean {
  if (Buffer.from(suspect.buffer, suspect.byteOffset, suspect.byteLength).equals(golden)) return true;
  try {
    return graphHash(readModel(suspect)) === graphHash(readModel(golden));
  } catch {
    return false;
  }
}

function shortened(findings: readonly Found[]): readonly StructureFinding[] {
  const counts = new Map<string, number>();
  const kept: StructureFinding[] = [];
  for (const { alarmingWhenNew: _, ...finding } of findings) {
    const slot = `${finding.level} ${finding.rule}`;
    const count = (counts.get(slot) ?? 0) + 1;
    counts.set(slot, count);
    if (count <= MAX_PER_RULE) kept.push(finding);
  }
  return kept.sort((a, b) => Number(a.level === 'note') - Number(b.level === 'note'));
}
