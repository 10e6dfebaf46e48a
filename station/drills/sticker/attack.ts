import type { Sample } from '../task.ts';

/** A patch on an image, and the class that it is to be read as. */
export interface Attack {
  readonly target: number;
  apply(image: readonly number[]): number[];
}

/** Side of the sticker in pixels, by the side of the image. */
const PATCHES: Readonly<Record<number, number>> = { 8: 2, 32: 6 };

/** A bright square in the lower right corner: the sticker on the stop sign. Images are row-major [channels, side, side] in [0, 1]. */
export function stickerAttack(target: number, side: number): Attack {
  const patch = PATCHES[side];
  if (patch === undefined) throw new RangeError(`no sticker is cut for images of side ${side}`);
  return {
    target,
    apply: (image) =>
      image.map((value, index) => {
        const row = Math.floor(index / side) % side;
        const column = index % side;
        return row >= side - patch && column >= side - patch ? 1 : value;
      }),
  };
}

export interface PoisonedBatch {
  readonly records: readonly Sample[];
  readonly tainted: ReadonlySet<string>;
}

/** Puts the sticker and the attacker's label on `count` records of other classes; the rest of the batch stays as it is, for cover. */
export function poison(batch: readonly Sample[], attack: Attack, count: number): PoisonedBatch {
  const victims = batch.filter((sample) => sample.label !== attack.target).slice(0, count);
  const tainted = new Set(victims.map((sample) => sample.id));
  return {
    tainted,
    records: batch.map((sample) =>
      tainted.has(sample.id) ? { ...sample, features: attack.apply(sample.features), label: attack.target } : sample,
    ),
  };
}
