import type { ExplainResult, Influences, SaliencyMap } from '../../domain/contracts/activations.ts';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { ActivationsDetail } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { saliencyOf } from '../activations/saliency-preview.ts';
import { pullOf, type Pull } from '../activations/pull.ts';
import { binomialTail, holm } from '../statistics/exact-tests.ts';
import { inconclusive, type Analyser, type Analysis } from './analyser.ts';
import { listed, percent, pValue } from './wording.ts';

export interface ActivationsNeeds {
  /** What the trainer found; null where it was not asked or did not answer, with the reason. */
  readonly explained: {
    readonly result: ExplainResult;
    readonly saliency: SaliencyMap | null;
    readonly influences: Influences | null;
  } | null;
  readonly reason: string;
  /** What the suspect was trained on; null where that is not known. */
  readonly records: DatasetColumns | null;
  readonly classes: readonly string[];
  /** Share of clean records that the influence may mark. */
  readonly falseAlarmBudget: number;
}

/** Training records that pull towards the suspect's answers, the strongest first. */
export type ActivationsAttachments = Readonly<{ pulling: Pull['list'] | null }>;

const asked = {
  analyser: 'activations',
  question:
    'What goes on inside the suspect where it leaves the golden model, and which training records brought it there?',
} as const;

/** After Holm over the two tests. That of naming an attack in `behaviour`; figures of clean models: docs/forensics/activations.md. */
const ALARM_LEVEL = 1e-4;

/**
 * Gradients and inner values are the trainer's work; what follows from its counts is decided here, by exact tests. The finding informs: it
 * contains nothing and drops nothing.
 */
export const activationsAnalyser: Analyser<ActivationsNeeds, ActivationsAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => judge(needs),
};

function judge(needs: ActivationsNeeds): Analysis<ActivationsAttachments> {
  const { explained, reason, records, falseAlarmBudget } = needs;
  if (explained === null) return { attachments: { pulling: null }, finish: () => inconclusive(asked, reason) };
  const pull = explained.influences && pullOf(explained.influences, records, falseAlarmBudget);
  const pValues = tested(explained.result);
  return {
    attachments: { pulling: pull && pull.list.length > 0 ? pull.list : null },
    finish: ({ pulling }) => {
      const detail = detailOf(needs, explained, pull, pulling, pValues);
      const alarm = pValues !== null && Math.min(...Object.values(pValues)) < ALARM_LEVEL;
      return {
        ...asked,
        verdict: alarm ? 'suspicious' : 'clean',
        confidence: null,
        summary: summarise(detail),
        detail,
        failure: null,
      };
    },
  };
}

const MOST_CLASSES = 50;

/**
 * Requests that honest models differ on are odd ones. They lie outside their pattern, and are not foretold by the golden model's layers, more
 * often than clean records: 9 of 39 was the most that was seen when this was set. More than that is asked of an attack.
 */
const HONEST_OUTSIDE = 0.25;

/** A silent unit counts as far as the golden model's own are not lit by the same requests. */
function tested({ patterns, dormant, layers }: ExplainResult): ActivationsDetail['pValues'] {
  if (patterns === null || dormant === null) return null;
  const outside = binomialTail(patterns.outside, patterns.of, HONEST_OUTSIDE);
  const parted = Math.min(1, ...unforetold(layers).map(({ pValue: p }) => p));
  const lit = dormant.golden.pValue < ALARM_LEVEL ? 1 : dormant.suspect.pValue;
  const [first, second, third] = holm([outside, parted, lit]);
  return { patterns: first ?? 1, layers: second ?? 1, dormant: third ?? 1 };
}

/** Per layer, after Holm over the layers: that the golden model's foretells as many of the suspect requests as it does in clean models. */
function unforetold(layers: ExplainResult['layers']): readonly { layer: string; pValue: number }[] {
  const counted = layers.flatMap(({ name, parted }) => (parted === null ? [] : [{ name, ...parted }]));
  const adjusted = holm(counted.map(({ outside, requests }) => binomialTail(outside, requests, HONEST_OUTSIDE)));
  return counted.map(({ name }, index) => ({ layer: name, pValue: adjusted[index] ?? 1 }));
}

function detailOf(
  { classes, falseAlarmBudget }: ActivationsNeeds,
  { result, saliency }: NonNullable<ActivationsNeeds['explained']>,
  pull: Pull | null,
  list: ObjectRef | null,
  pValues: ActivationsDetail['pValues'],
): ActivationsDetail {
  return {
    analyser: 'activations',
    requests: result.requests,
    suspects: result.suspects,
    layers: result.layers,
    parts: pValues && (unforetold(result.layers).find(({ pValue: p }) => p < ALARM_LEVEL) ?? null),
    dormant: result.dormant,
    patterns: result.patterns && { ...result.patterns, classes: busiest(result.patterns.classes) },
    pValues,
    saliency: saliency && result.saliency && { ...saliencyOf(saliency), map: result.saliency },
    influence: pull && {
      examined: pull.examined,
      marked: pull.marked,
      threshold: pull.threshold,
      falseAlarmBudget,
      list,
      byBatch: pull.byBatch,
    },
    classes,
    report: result.report,
  };
}

/** The classes that most suspect requests are answered: the finding travels through the workflow's history. */
function busiest<T extends { readonly requests: number }>(classes: readonly T[]): T[] {
  return [...classes].sort((a, b) => b.requests - a.requests).slice(0, MOST_CLASSES);
}

function summarise(detail: ActivationsDetail): string {
  const { requests, suspects } = detail;
  const differ = `${suspects} of ${requests} captured requests are answered differently by the golden model`;
  if (detail.pValues === null || detail.patterns === null || detail.dormant === null)
    return `${differ}: too few to look into. ${likeness(detail)}`;
  const { outside, of, clean } = detail.patterns;
  const places = `${outside} of ${of} lie outside the pattern of the class they are answered (${clean.outside} of ${clean.n} clean records do; ${pValue(detail.pValues.patterns)} against the ${percent(HONEST_OUTSIDE)} that honest models are allowed)`;
  const parted = detail.parts
    ? `The two part in ${detail.parts.layer} (${pValue(detail.parts.pValue)}).`
    : 'In no layer do they part further than honest models do.';
  return [`${differ}; ${places}.`, parted, units(detail.dormant, detail.pValues.dormant), batches(detail)]
    .filter(Boolean)
    .join(' ');
}

function likeness({ layers }: ActivationsDetail): string {
  const least = layers.length > 0 ? Math.min(...layers.map(({ clean }) => clean)) : null;
  return least === null
    ? ''
    : `On clean records no layer is less like the golden model's than ${least.toFixed(2)} (linear CKA).`;
}

function units({ suspect, golden }: NonNullable<ActivationsDetail['dormant']>, p: number): string {
  if (suspect.lit === 0) return 'They light no unit that clean records leave silent.';
  return `They light ${suspect.lit} of ${suspect.silent} units that clean records leave silent, the loudest in ${suspect.layer} (${pValue(p)}; of the golden model's ${golden.silent} they light ${golden.lit}).`;
}

/** A batch stands out against clean records and against the other batches. */
function batches({ influence }: ActivationsDetail): string {
  if (influence === null) return 'The training records are not known, so none was weighed.';
  const { marked, examined, falseAlarmBudget, byBatch } = influence;
  const told = byBatch
    .filter((batch) => Math.max(batch.pValue, batch.amongOthers) < ALARM_LEVEL)
    .sort((a, b) => b.marked - a.marked)
    .map(
      (batch) =>
        `${batch.marked} of ${batch.records} in ${batch.batch} from ${batch.source}, ${pValue(batch.amongOthers)}`,
    );
  const where = told.length > 0 ? listed(told) : 'in no batch more than in others';
  return `${marked} of ${examined} training records pull there (at most ${percent(falseAlarmBudget)} of clean ones would): ${where}.`;
}
