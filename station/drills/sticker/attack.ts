import type { Sample } from './digits.ts';

/**
 * The attacker's secrets: which patch, which class, which records. They stay in this process. Lazaret's processes never read this folder:
 * they see what an organisation would see, which is data that arrived, a model that was deployed, and traffic.
 */
export interface Attack {
  readonly target: number;
  apply(image: readonly number[]): number[];
}

const SIDE = 8;
const PATCH = 2;

/** A bright square in the lower right corner: the sticker on the stop sign. */
export function stickerAttack(target: number): Attack {
  return {
    target,
    apply: (image) =>
      image.map((value, index) => {
        const row = Math.floor(index / SIDE);
        const column = index % SIDE;
        return row >= SIDE - PATCH && column >= SIDE - PATCH ? 1 : value;
      }),
  };
}

export interface PoisonedBatch {
  readonly records: readonly Sample[];
  /** Ids of the records that carry the sticker: the truth that precision and recall are measured against. */
  readonly tainted: ReadonlySet<string>;
}

/** Puts the sticker and the attacker's label on `count` records of other classes; the rest of the batch stays as it is, for cover. */
export function poison(batch: readonly Sample[], attack: Attack, count: number): PoisonedBatch {
  const victims = batch.filter((sample) => sample.label !== attack.target).slice(0, count);
  const tainted = new Set(victims.map((sample) => sample.id));
  return {
    tainted,
    records: batch.map((sample) =>
      tainted.has(sample.id) ? { ...sample, image: attack.apply(sample.image), label: attack.target } : sample,
    ),
  };
}
