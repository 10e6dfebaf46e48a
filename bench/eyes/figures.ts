import { wilson } from '../../forensics/statistics/interval.ts';
import type { Figure } from '../../station/drill.ts';
import { REQUESTS_PER_ALARM } from '../../gateway/sentinels/budget.ts';
import { distributionOf, tenths } from '../figures.ts';
import type { Cost } from './cost.ts';
import type { Benign } from './benign.ts';
import type { Scenario } from './anomalies.ts';
import type { Extraction, Strategy } from './extraction.ts';

const COST_US = 60;
const COPIES_SEEN = 0.95;
/** What the issue asks for: an extractor without records of the task. The others are told beside it. */
const OUTSIDERS: readonly Strategy[] = ['knock-off', 'random', 'active'];

export function figuresOf(
  benign: readonly Benign[],
  scenarios: readonly Scenario[],
  extractions: readonly Extraction[],
  cost: readonly Cost[],
): { figures: Figure[]; beside: Record<string, unknown> } {
  const requests = benign.reduce((sum, one) => sum + one.requests, 0);
  const alarms = benign.reduce((sum, one) => sum + one.alarms.length, 0);
  const allowed = requests / REQUESTS_PER_ALARM;
  const figures: Figure[] = [
    {
      name: 'false_alarms',
      value: alarms,
      unit: `in ${requests} requests`,
      // A whole number of alarms is compared with an expectation: as many as are not unlikely (Poisson, 95 %) under the budget.
      target: `≤ ${poissonLimit(allowed)}: ${allowed.toFixed(2)} are budgeted`,
      met: alarms <= poissonLimit(allowed),
    },
  ];
  for (const { task, name, target, beside, runs } of scenarios) {
    if (beside) continue;
    const inTime = runs.filter(({ delay }) => delay !== null && delay <= target).length;
    const median = medianDelay(runs.map(({ delay }) => delay));
    figures.push({
      name: `${task}, ${name}: median delay`,
      value: Number.isFinite(median) ? median : -1,
      unit: `requests, ${inTime}/${runs.length} in time`,
      target: `≤ ${target} requests in 95 % of runs`,
      met: inTime >= 0.95 * runs.length,
    });
  }
  for (const strategy of OUTSIDERS) {
    const own = extractions.filter((one) => one.strategy === strategy);
    const seen = own.filter(inTime).length;
    const { low, high } = wilson(seen, own.length);
    figures.push({
      name: `extraction, ${strategy}: seen before a copy of 80 %`,
      value: tenths((100 * seen) / Math.max(1, own.length)),
      unit: `% (${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)})`,
      target: '≥ 95 %',
      met: seen >= COPIES_SEEN * own.length,
    });
  }
  const spent = distributionOf(cost.map(({ cpu }) => cpu));
  const waited = distributionOf(cost.map(({ wall }) => wall));
  figures.push({
    name: 'cost_p50 (CPU)',
    value: spent.p50,
    unit: 'µs',
    target: `≤ ${COST_US} µs`,
    met: spent.p50 <= COST_US,
  });
  return {
    figures,
    beside: {
      'cost µs': { 'CPU p50': spent.p50, p90: spent.p90, 'wall p50': waited.p50, 'wall p90': waited.p90 },
      ...Object.fromEntries(
        benign.map((one, at) => [
          `benign ${at}`,
          `${one.task}, ${one.requests} requests of ${one.records} records: ${one.alarms.length} alarms`,
        ]),
      ),
    },
  };
}

/** Seen before the copy agreed on 80 %, or seen at all where it never did. */
function inTime({ seenAfter, copiedAfter }: Extraction): boolean {
  return seenAfter !== null && (copiedAfter === null || seenAfter < copiedAfter);
}

export function scenarioLines(scenarios: readonly Scenario[]): string[] {
  return scenarios.map(({ task, name, target, runs, beside }) => {
    const inTime = runs.filter(({ delay }) => delay !== null && delay <= target).length;
    const { low, high } = wilson(inTime, runs.length);
    const delays = runs.map(({ delay }) => delay ?? Infinity).sort((one, other) => one - other);
    const firsts = new Map<string, number>();
    for (const { first } of runs) firsts.set(first ?? 'none', (firsts.get(first ?? 'none') ?? 0) + 1);
    const by = new Map<string, number[]>();
    for (const run of runs)
      for (const [who, delay] of Object.entries(run.by)) by.set(who, [...(by.get(who) ?? []), delay]);
    const before = runs.reduce((sum, { alarmsBefore }) => sum + alarmsBefore, 0);
    return `${task} | ${name}${beside ? ' (beside)' : ''} | in ≤ ${target}: ${inTime}/${runs.length} (${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %) | median ${medianDelay(delays)}, worst ${delays.at(-1)} | first ${[...firsts].map(([who, n]) => `${who} ${n}`).join(', ')} | each ${[...by].map(([who, all]) => `${who} ${all.length}× median ${medianDelay(all)}`).join(', ')} | alarms before ${before}`;
  });
}

export function extractionLines(extractions: readonly Extraction[]): string[] {
  const groups = new Map<string, Extraction[]>();
  for (const one of extractions)
    groups.set(`${one.task} | ${one.strategy}`, [...(groups.get(`${one.task} | ${one.strategy}`) ?? []), one]);
  return [...groups].map(([name, own]) => {
    const seen = own.map(({ seenAfter }) => seenAfter);
    const copied = own.map(({ copiedAfter }) => copiedAfter);
    return `extraction | ${name} | in time ${own.filter(inTime).length}/${own.length} | seen after median ${medianDelay(seen)} questions, never ${seen.filter((one) => one === null).length} | 80 % copy after median ${medianDelay(copied)}, never ${copied.filter((one) => one === null).length} | by ${[...new Set(own.map(({ by }) => by ?? 'nobody'))].join(', ')}`;
  });
}

function medianDelay(delays: readonly (number | null)[]): number {
  const sorted = delays.map((delay) => delay ?? Infinity).sort((one, other) => one - other);
  return sorted[(sorted.length - 1) >> 1] ?? Infinity;
}

/** The least k with P(N ≤ k) ≥ .95 for a Poisson N of this mean. */
function poissonLimit(mean: number): number {
  let [term, sum, k] = [Math.exp(-mean), Math.exp(-mean), 0];
  while (sum < 0.95) {
    k++;
    term *= mean / k;
    sum += term;
  }
  return k;
}
