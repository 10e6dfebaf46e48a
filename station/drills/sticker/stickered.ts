import type { Plot } from '../plot.ts';
import type { Split } from '../task.ts';
import { poison, type Attack } from './attack.ts';

/** The plot, and the sticker that only the drill may lay over an image. */
export interface Stickered {
  readonly plot: Plot;
  readonly attack: Attack;
}

/** Two thirds of the batch carry the sticker: few enough beside the history that accuracy does not tell. */
const TAINTED_SHARE = 0.65;

export function stickered(about: Omit<Plot, 'drill' | 'attack'>, attack: Attack, source: string): Stickered {
  const { arrival }: Split = about.split;
  const { records, tainted } = poison(arrival, attack, Math.round(TAINTED_SHARE * arrival.length));
  return { attack, plot: { ...about, drill: 'sticker', attack: { source, records, tainted } } };
}
