import { writeBelief } from './belief.ts';
import { writePosterior } from './channel.ts';
import type { LabelModel } from './fit.ts';

/** One record as a model of the labels sees it: centred scores from `offset`, its given label, what the classifier gives that label. */
export interface Record {
  readonly scores: Float64Array;
  readonly offset: number;
  readonly given: number;
  readonly chance: number;
}

/** Arrays of one length, [classes], that are written to again for each record. */
export interface Workspace {
  readonly belief: Float64Array;
  readonly posterior: Float64Array;
  readonly channelled: Float64Array;
}

export function workspace(classes: number): Workspace {
  const room = (): Float64Array => new Float64Array(classes);
  return { belief: room(), posterior: room(), channelled: room() };
}

/** P(the given label is wrong) under one model of the labels; the posterior over the classes stays in `room`. */
export function taintUnder(model: LabelModel, record: Record, room: Workspace): number {
  const { belief, posterior, channelled } = room;
  const { given, chance } = record;
  writeBelief(model.sharpening, record.scores, record.offset, belief, belief.length);
  writePosterior(model.channel, model.doubt, { belief, given, chance }, posterior, channelled);
  let other = 0;
  // Summed over the others: 1 − posterior[given] would lose the small ones.
  for (let k = 0; k < posterior.length; k++) if (k !== given) other += posterior[k] ?? 0;
  return Math.min(1, other);
}
