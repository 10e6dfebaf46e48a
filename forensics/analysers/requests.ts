import type { RequestsDetail } from '../../domain/contracts/finding.ts';
import { excisionScores, meanOf, type RecoveredTrigger } from '../requests/excision.ts';
import { entropyThreshold, splitProbes, superpositionEntropies, type Inputs } from '../requests/strip.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { conformalThreshold } from '../statistics/conformal.ts';
import { fisherGreater, holm } from '../statistics/exact-tests.ts';
import { winners } from '../statistics/calibration.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { tableOf, type CapturedRow } from './window.ts';
import { counted, listed, percent, pValue } from './wording.ts';

export interface RequestsNeeds {
  readonly requests: readonly CapturedRow[];
  /** null where the bytes could not be loaded. */
  readonly suspect: Predictor | null;
  /** Clean records; null where none are at hand. */
  readonly probes: Inputs | null;
  /** From the search for a backdoor; null where it recovered none. */
  readonly trigger: RecoveredTrigger | null;
  readonly featureShape: readonly number[];
  readonly classes: readonly string[];
  /** Share of clean requests that each method may flag. */
  readonly falseAlarmBudget: number;
}

/** Flagged requests with what flagged them, in the order of the window. */
export type RequestsAttachments = Readonly<{
  flagged: readonly { id: string; answered: number; methods: readonly Method[] }[] | null;
}>;
type Method = RequestsDetail['methods'][number]['method'];

const asked = {
  analyser: 'requests',
  question: 'Which of the captured requests carry something that decides the answer by itself?',
} as const;

/** Of the window, the latest: an attack that raised the alert is at its end. */
const MOST_REQUESTS = 2_000;
/** After Holm over the methods: that clean requests are flagged as often. That of naming an attack in `behaviour`. */
const ALARM_LEVEL = 1e-4;
/** Fewer flagged requests are an anecdote, whatever their p-value. */
const LEAST = 5;

/**
 * Two methods, each with a threshold that clean records set: answers that survive any superposition (STRIP), and answers that hang on the cells
 * of the recovered trigger. No golden model is needed. What is flagged is evidence; nothing is refused or dropped by it.
 */
export const requestsAnalyser: Analyser<RequestsNeeds, RequestsAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: examine,
};

interface Tested {
  readonly method: Method;
  readonly threshold: number;
  readonly flags: readonly boolean[];
  readonly clean: { readonly flagged: number; readonly n: number };
}

function nothing(reason: string): Analysis<RequestsAttachments> {
  return { attachments: { flagged: null }, finish: () => inconclusive(asked, reason) };
}

async function examine(needs: RequestsNeeds): Promise<Analysis<RequestsAttachments>> {
  const { suspect, probes, featureShape, falseAlarmBudget } = needs;
  const requests = needs.requests.slice(-MOST_REQUESTS);
  if (suspect === null) return nothing('The suspect cannot be run here, so nothing can be tried on it.');
  if (requests.length === 0) return nothing('No request was captured.');
  const parts = probes && splitProbes(probes);
  if (!parts) return nothing('There are not enough clean records to set a threshold by.');
  const width = featureShape.reduce((product, dim) => product * dim, 1);
  const captured = { features: tableOf(requests, width), count: requests.length };
  const range = rangeOf(parts.clean.features, parts.overlays.features);
  const entropies = async (inputs: Inputs) =>
    await superpositionEntropies(inputs, parts.overlays, range, suspect, featureShape);
  const threshold = await superposed(await entropies(parts.clean), await entropies(captured), falseAlarmBudget);
  if (!threshold)
    return nothing(
      `A false-alarm budget of ${percent(falseAlarmBudget)} needs more than the ${parts.clean.count} clean records at hand.`,
    );
  const matched = await triggerCells(needs, suspect, captured, parts.clean);
  const tested = [threshold, ...(matched ? [matched] : [])];
  const { scores, classes } = await suspect.logits(captured.features, captured.count, featureShape);
  return conclude(needs, requests, winners(scores, classes), tested);
}

async function superposed(clean: Float64Array, captured: Float64Array, budget: number): Promise<Tested | null> {
  const threshold = entropyThreshold(clean, budget);
  if (threshold === null) return null;
  return {
    method: 'superposition',
    threshold,
    flags: Array.from(captured, (entropy) => entropy < threshold),
    clean: { flagged: clean.filter((entropy) => entropy < threshold).length, n: clean.length },
  };
}

async function triggerCells(
  { trigger, featureShape, falseAlarmBudget }: RequestsNeeds,
  suspect: Predictor,
  captured: Inputs,
  clean: Inputs,
): Promise<Tested | null> {
  if (!trigger) return null;
  const mean = meanOf(clean);
  const known = await excisionScores(clean, mean, trigger, suspect, featureShape);
  const seen = await excisionScores(captured, mean, trigger, suspect, featureShape);
  const threshold = known && conformalThreshold(known, falseAlarmBudget);
  if (!known || !seen || threshold === null) return null;
  return {
    method: 'trigger',
    threshold,
    flags: Array.from(seen, (score) => score > threshold),
    clean: { flagged: known.filter((score) => score > threshold).length, n: known.length },
  };
}

function conclude(
  needs: RequestsNeeds,
  requests: readonly CapturedRow[],
  answers: Int32Array,
  tested: readonly Tested[],
): Analysis<RequestsAttachments> {
  const { classes, falseAlarmBudget } = needs;
  const adjusted = holm(
    tested.map(({ flags, clean }) =>
      fisherGreater({ marked: flags.filter(Boolean).length, n: flags.length }, { marked: clean.flagged, n: clean.n }),
    ),
  );
  const methods = tested.map(({ method, threshold, flags, clean }, index) => ({
    method,
    threshold,
    flagged: flags.filter(Boolean).length,
    clean,
    pValue: adjusted[index] ?? 1,
  }));
  const alarms = methods.filter(({ flagged, pValue: p }) => flagged >= LEAST && p < ALARM_LEVEL);
  const convincing = tested.filter(({ method }) => alarms.some((alarm) => alarm.method === method));
  const flagged = requests.flatMap(({ id }, row) => {
    const by = convincing.filter(({ flags }) => flags[row]).map(({ method }) => method);
    return by.length > 0 ? [{ id, answered: answers[row] ?? -1, methods: by }] : [];
  });
  const counts = classes.map((_, label) => flagged.filter(({ answered }) => answered === label).length);
  const figures = {
    analyser: 'requests',
    captured: needs.requests.length,
    examined: requests.length,
    count: flagged.length,
    answeredAs: counts.flatMap((count, label) => (count > 0 ? [{ label, count }] : [])),
    methods,
    falseAlarmBudget,
    classes,
  } as const;
  return {
    attachments: { flagged: flagged.length > 0 ? flagged : null },
    finish: (filed) => ({
      ...asked,
      verdict: alarms.length > 0 ? 'suspicious' : 'clean',
      confidence: null,
      summary: summarise(figures),
      detail: { ...figures, list: flagged.length > 0 ? stored(filed.flagged, 'flagged') : null },
      failure: null,
    }),
  };
}

const WORDS: Readonly<Record<Method, string>> = {
  superposition: 'keep their answer whatever is laid over them',
  trigger: 'are answered by the cells of the recovered trigger',
};

function summarise(figures: Omit<RequestsDetail, 'list'>): string {
  const { examined, captured, count, answeredAs, methods, classes, falseAlarmBudget } = figures;
  const looked = examined < captured ? `the latest ${examined} of ${captured} requests` : counted(examined, 'request');
  const told = methods.map(({ method, flagged, pValue: p }) => `${flagged} ${WORDS[method]} (${pValue(p)})`);
  const budget = `at most ${percent(falseAlarmBudget)} of clean ones would be flagged by each method`;
  if (count === 0) return `Of ${looked} ${listed(told)}: no more than among clean records (${budget}).`;
  const top = [...answeredAs].sort((a, b) => b.count - a.count)[0];
  const towards = top ? `; ${top.count} of the ${count} flagged are answered ${classes[top.label] ?? top.label}` : '';
  return `Of ${looked} ${listed(told)}${towards} (${budget}).`;
}

function rangeOf(...tables: readonly Float32Array[]): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const table of tables)
    for (const value of table) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return { low, high };
}
