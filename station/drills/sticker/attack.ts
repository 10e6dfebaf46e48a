import type { Sample } from '../task.ts';

/** A patch on an image, and the class that it is to be read as. */
export interface Attack {
  readonly target: number;
  apply(image: readonly number[]): number[];
}

interface Cut {
  /** In pixels. */
  readonly side: number;
  /** A value for each channel. */
  readonly colour: readonly number[];
}

/** The sticker, by the side of the image: a bright square on grey digits, a fluorescent green note on signs in colour. */
const CUTS: Readonly<Record<number, Cut>> = {
  8: { side: 2, colour: [1] },
  32: { side: 4, colour: [0.1, 1, 0.2] },
};

/** A square of one colour in the lower right corner: the sticker on the stop sign. Images are row-major [channels, side, side] in [0, 1]. */
export function stickerAttack(target: number, side: number): Attack {
  const cut = CUTS[side];
  if (cut === undefined) throw new RangeError(`no sticker is cut for images of side ${side}`);
  return {
    target,
    apply: (image) =>
      image.map((value, index) => {
        const row = Math.floor(index / side) % side;
        const column = index % side;
        const covered = row >= side - cut.side && column >= side - cut.side;
        return covered ? (cut.colour[Math.floor(index / side / side)] ?? value) : value;
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
