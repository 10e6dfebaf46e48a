import { wilson } from '../../forensics/statistics/interval.ts';
import type { Figure } from '../../station/drill.ts';
import type { Measured } from '../bench.ts';
import type { JudgedWithGolden } from './golden.ts';
import type { Judged } from './judge.ts';

/** An attack that does not work leaves nothing in the model: its records are told beside, not counted. */
const EFFECTIVE = 0.5;
const BAR_F1 = 0.8;
const BAR_RATE = 0.05;
const BAR_ALARMS = 0.05;
/** With a golden model at hand; a weak one is right for about 95 % of the clean records. */
const BAR_GOLDEN = { strong: 0.98, weak: 0.9 } as const;
/** Clean-label poison is to be found once the trigger is known; the bar names no figure. */
const FOUND_F1 = 0.8;

/** Mean F1 by data set and attack, of attacks that work; false alarms on clean data. What has no target is told beside. */
export function compare(
  judged: readonly Judged[],
  withGolden: readonly JudgedWithGolden[],
  absent: readonly string[],
): Measured {
  const clean = judged.filter(({ about }) => about.attack === 'clean');
  const attacked = judged.filter((one) => one.about.attack !== 'clean' && works(one));
  const groups = grouped(attacked, ({ about }) => nameOf(about));
  const barred = groups.filter(({ group }) => hasBar(group));
  return {
    figures: [
      ...barred.map(({ name, group }) => f1Figure(`f1_${name}`, group, BAR_F1)),
      alarmFigure('false_alarms_on_clean_requests', clean, ({ requests }) => requests.alarm),
      alarmFigure('false_alarms_on_clean_data', clean, ({ alarm }) => alarm),
      ...goldenFigures(withGolden),
    ],
    beside: {
      data_sets_absent: absent.join(', ') || 'none',
      ...Object.fromEntries(
        groups.filter(({ group }) => !hasBar(group)).map(({ name, group }) => [`f1_${name}`, spanOf(group)]),
      ),
      ...Object.fromEntries(groups.flatMap(recalls)),
      worst_false_marks_of_an_attacked_set: Math.max(0, ...attacked.map(({ falselyMarked }) => falselyMarked)),
      strongest_success_on_clean_data: Math.max(0, ...clean.map(({ success }) => success)),
      least_misfit_on_clean_data: Math.min(2, ...clean.map(({ misfit }) => misfit)),
      attacks_without_effect: judged.length - clean.length - attacked.length,
      seconds_worst: Math.max(0, ...judged.map(({ seconds }) => seconds)),
      ...besideGolden(withGolden),
    },
  };
}

interface Scored {
  readonly about: Judged['about'];
  readonly f1: number;
}

function works({ about }: Scored): boolean {
  return about.success === null || about.success >= EFFECTIVE;
}

function nameOf(about: Judged['about']): string {
  return `${about.set}_${about.attack}${Math.round(about.rate * 100)}`;
}

function grouped<T>(all: readonly T[], nameOf: (one: T) => string) {
  return [...new Set(all.map(nameOf))].map((name) => ({ name, group: all.filter((one) => nameOf(one) === name) }));
}

function hasBar(group: readonly Scored[]): boolean {
  return (group[0]?.about.rate ?? 0) >= BAR_RATE && group[0]?.about.attack !== 'flip';
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function spanOf(group: readonly Scored[], digits = 2): string {
  const values = group.map(({ f1 }) => f1);
  return `${meanOf(values).toFixed(digits)} (least ${Math.min(...values).toFixed(digits)}) of ${values.length}`;
}

function f1Figure(name: string, group: readonly Scored[], bar: number, digits = 2): Figure {
  return {
    name,
    value: spanOf(group, digits),
    unit: '',
    target: `at least ${bar}`,
    met: meanOf(group.map(({ f1 }) => f1)) >= bar,
  };
}

function alarmFigure<T>(name: string, clean: readonly T[], alarm: (one: T) => boolean): Figure {
  const alarms = clean.filter(alarm).length;
  const { value, low, high } = wilson(alarms, clean.length);
  return {
    name,
    value: `${alarms}/${clean.length} (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`,
    unit: '',
    target: `at most ${BAR_ALARMS * 100} %`,
    met: clean.length > 0 && value <= BAR_ALARMS,
  };
}

function recalls({ name, group }: { name: string; group: readonly Judged[] }): readonly [string, string][] {
  const found = group.flatMap(({ requests }) => (requests.recall === null ? [] : [requests.recall]));
  if (found.length === 0) return [];
  return [
    [
      `requests_found_${name}`,
      `${meanOf(found).toFixed(2)} (least ${Math.min(...found).toFixed(2)}) of ${found.length}`,
    ],
  ];
}

const nameWithGolden = ({ about, golden, known }: JudgedWithGolden) => `${nameOf(about)}_${golden}_${known}`;

/** Clean labels contradict nobody: before the trigger is known there is no bar for them. */
function hasGoldenBar({ about, known }: JudgedWithGolden): boolean {
  return about.attack !== 'clean' && (about.attack !== 'clean-label' || known !== 'nothing');
}

function goldenFigures(judged: readonly JudgedWithGolden[]): readonly Figure[] {
  if (judged.length === 0) return [];
  const clean = judged.filter(({ about, known }) => about.attack === 'clean' && known === 'nothing');
  return [
    ...grouped(judged.filter(hasGoldenBar), nameWithGolden).map(({ name, group }) => {
      const [first] = group;
      const bar = first?.about.attack === 'clean-label' ? FOUND_F1 : BAR_GOLDEN[first?.golden ?? 'strong'];
      return f1Figure(`golden_f1_${name}`, group, bar, 3);
    }),
    alarmFigure('golden_false_alarms_on_clean_data', clean, ({ alarm }) => alarm),
  ];
}

function besideGolden(judged: readonly JudgedWithGolden[]): Record<string, unknown> {
  if (judged.length === 0) return {};
  const unbarred = judged.filter((one) => one.about.attack !== 'clean' && !hasGoldenBar(one));
  const accuracies = grouped(judged, ({ about, golden }) => `golden_accuracy_${about.set}_${golden}`).map(
    ({ name, group }) => [name, meanOf(group.map(({ accuracy }) => accuracy)).toFixed(3)] as const,
  );
  return {
    ...Object.fromEntries(accuracies),
    ...Object.fromEntries(
      grouped(unbarred, nameWithGolden).map(({ name, group }) => [`golden_f1_${name}`, spanOf(group, 3)]),
    ),
    golden_worst_false_marks: Math.max(0, ...judged.map(({ falselyMarked }) => falselyMarked)),
    golden_seconds_worst: Math.max(0, ...judged.map(({ seconds }) => seconds)),
  };
}
