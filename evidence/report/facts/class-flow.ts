import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { Interval } from '../../../domain/contracts/interval.ts';
import { detailOf } from './details.ts';
import { share } from './share.ts';

/** Counts [golden class][other model's class]. */
export type Flow = readonly (readonly number[])[];

export interface ClassFlows {
  readonly classes: readonly string[];
  /** On the captured requests, golden × suspect. */
  readonly before: Flow;
  /** On the same requests, golden × candidate; null where no candidate was validated. */
  readonly after: Flow | null;
  /** Classes that were put together under "other", to keep the picture legible. */
  readonly merged: number;
  /** The class the requests were diverted to; null where no attack was found in them. */
  readonly target: string | null;
  /** Of the captured requests that the golden model does not give to the target, the share that the other model does. */
  readonly divertedBefore: Interval | null;
  readonly divertedAfter: Interval | null;
}

/** More classes than these make cells too small to read on paper. */
const MAX_CLASSES = 12;

export function classFlowsOf(file: CaseFile): ClassFlows | null {
  const behaviour = detailOf(file, 'behaviour');
  if (!behaviour || behaviour.flow.length === 0) return null;
  const after = file.validation && file.validation.flow.length > 0 ? file.validation.flow : null;
  const target = behaviour.attack?.targetClass ?? null;
  const size = Math.max(behaviour.classes.length, behaviour.flow.length, after?.length ?? 0);
  const shown = shownClasses(size, [behaviour.flow, ...(after ? [after] : [])], target);
  const name = (index: number): string => behaviour.classes[index] ?? `class ${index}`;
  const merged = size - shown.length;
  return {
    classes: [...shown.map(name), ...(merged > 0 ? [`other (${merged})`] : [])],
    before: condense(behaviour.flow, shown, merged > 0),
    after: after && condense(after, shown, merged > 0),
    merged,
    target: target === null ? null : name(target),
    divertedBefore: target === null ? null : diverted(behaviour.flow, target),
    divertedAfter: target === null || !after ? null : diverted(after, target),
  };
}

function diverted(flow: Flow, target: number): Interval | null {
  let all = 0;
  let moved = 0;
  flow.forEach((row, golden) => {
    if (golden === target) return;
    all += row.reduce((sum, cell) => sum + cell, 0);
    moved += row[target] ?? 0;
  });
  return share(moved, all);
}

/** The classes with the most movement between them, in their own order. */
function shownClasses(size: number, flows: readonly Flow[], target: number | null): readonly number[] {
  const all = Array.from({ length: size }, (_, index) => index);
  if (size <= MAX_CLASSES) return all;
  const movement = new Array<number>(size).fill(0);
  for (const flow of flows) {
    flow.forEach((row, golden) =>
      row.forEach((cell, other) => {
        if (golden === other) return;
        movement[golden] = (movement[golden] ?? 0) + cell;
        movement[other] = (movement[other] ?? 0) + cell;
      }),
    );
  }
  if (target !== null) movement[target] = Infinity;
  return [...all]
    .sort((a, b) => (movement[b] ?? 0) - (movement[a] ?? 0) || a - b)
    .slice(0, MAX_CLASSES - 1)
    .sort((a, b) => a - b);
}

function condense(flow: Flow, shown: readonly number[], withOther: boolean): Flow {
  const size = shown.length + (withOther ? 1 : 0);
  const place = new Map(shown.map((index, position) => [index, position]));
  const out = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  flow.forEach((row, golden) =>
    row.forEach((cell, other) => {
      const line = out[place.get(golden) ?? size - 1];
      const position = place.get(other) ?? size - 1;
      if (line) line[position] = (line[position] ?? 0) + cell;
    }),
  );
  return out;
}
