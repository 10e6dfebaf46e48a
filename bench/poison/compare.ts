import { wilson } from '../../forensics/statistics/interval.ts';
import type { Figure } from '../../station/drill.ts';
import type { Measured } from '../bench.ts';
import type { Judged } from './judge.ts';

/** An attack that does not work leaves nothing in the model: its records are told beside, not counted. */
const EFFECTIVE = 0.5;
const BAR_F1 = 0.8;
const BAR_RATE = 0.05;
const BAR_ALARMS = 0.05;

/** Mean F1 by data set and attack, of attacks that work; false alarms on clean data. */
export function compare(judged: readonly Judged[], absent: readonly string[]): Measured {
  const clean = judged.filter(({ about }) => about.attack === 'clean');
  const attacked = judged.filter(
    ({ about }) => about.attack !== 'clean' && (about.success === null || about.success >= EFFECTIVE),
  );
  const names = [...new Set(attacked.map(nameOf))];
  const alarms = wilson(clean.filter(({ alarm }) => alarm).length, clean.length);
  return {
    figures: [
      ...names.map((name) =>
        f1Figure(
          name,
          attacked.filter((one) => nameOf(one) === name),
        ),
      ),
      ...names.flatMap((name) =>
        recallFigure(
          name,
          attacked.filter((one) => nameOf(one) === name),
        ),
      ),
      {
        name: 'false_alarms_on_clean_requests',
        value: `${clean.filter(({ requests }) => requests.alarm).length}/${clean.length}`,
        unit: '',
        target: `at most ${BAR_ALARMS * 100} %`,
        met: clean.length > 0 && clean.filter(({ requests }) => requests.alarm).length <= BAR_ALARMS * clean.length,
      },
      {
        name: 'false_alarms_on_clean_data',
        value: `${clean.filter(({ alarm }) => alarm).length}/${clean.length}`,
        unit: '',
        target: `at most ${BAR_ALARMS * 100} %`,
        met: clean.length > 0 && alarms.value <= BAR_ALARMS,
      },
    ],
    beside: {
      data_sets_absent: absent.join(', ') || 'none',
      false_alarms_95_percent_interval: `${alarms.low.toFixed(3)} to ${alarms.high.toFixed(3)}`,
      worst_false_marks_of_an_attacked_set: Math.max(0, ...attacked.map(({ falselyMarked }) => falselyMarked)),
      strongest_success_on_clean_data: Math.max(0, ...clean.map(({ success }) => success)),
      least_misfit_on_clean_data: Math.min(1, ...clean.map(({ misfit }) => misfit)),
      attacks_without_effect: judged.length - clean.length - attacked.length,
      seconds_worst: Math.max(...judged.map(({ seconds }) => seconds)),
    },
  };
}

function nameOf({ about }: Judged): string {
  return `${about.set}_${about.attack}${Math.round(about.rate * 100)}`;
}

function recallFigure(name: string, group: readonly Judged[]): readonly Figure[] {
  const recalls = group.flatMap(({ requests }) => (requests.recall === null ? [] : [requests.recall]));
  if (recalls.length === 0) return [];
  const mean = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
  return [
    {
      name: `requests_found_${name}`,
      value: `${mean.toFixed(2)} (least ${Math.min(...recalls).toFixed(2)})`,
      unit: `of ${recalls.length}`,
      target: 'none, told only',
      met: true,
    },
  ];
}

function f1Figure(name: string, group: readonly Judged[]): Figure {
  const mean = group.reduce((sum, { f1 }) => sum + f1, 0) / group.length;
  const least = Math.min(...group.map(({ f1 }) => f1));
  const counts = (group[0]?.about.rate ?? 0) >= BAR_RATE && group[0]?.about.attack !== 'flip';
  return {
    name: `f1_${name}`,
    value: `${mean.toFixed(2)} (least ${least.toFixed(2)})`,
    unit: `of ${group.length}`,
    target: counts ? `at least ${BAR_F1}` : 'none, told only',
    met: mean >= BAR_F1,
  };
}
