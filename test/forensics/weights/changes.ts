import type { WeightChange } from '../../../domain/contracts/finding.ts';
import { createNormal, createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { copy, type Network, type Tensor } from './networks.ts';

type Make = (golden: Network, seed: number) => Network;

const words = (tensor: Tensor) => new Int32Array(tensor.values.buffer);
const every = (golden: Network, change: (tensor: Tensor, random: () => number) => void, seed: number): Network => {
  const [suspect, random] = [copy(golden), createRandom(seed)];
  suspect.forEach((tensor) => change(tensor, random));
  return suspect;
};
const matrices = (network: Network) => network.filter(({ shape }) => shape.length > 1);

/** Ways to change a network, by the kind that they are. Training is made elsewhere. */
export const makers: Readonly<Partial<Record<WeightChange['kind'], Readonly<Record<string, Make>>>>> = {
  none: { copied: copy },
  pruned: {
    'by magnitude': (golden, seed) =>
      every(
        golden,
        ({ values }) => {
          const cut =
            [...values].map(Math.abs).sort((a, b) => a - b)[Math.floor(values.length * (0.1 + (seed % 7) / 10))] ?? 0;
          values.forEach((value, at) => Math.abs(value) < cut && (values[at] = 0));
        },
        seed,
      ),
  },
  requantised: {
    '8 bits per tensor': (golden, seed) => every(golden, ({ values }) => onGrid(values, values.length, 127), seed),
    '8 bits per neuron': (golden, seed) =>
      every(
        golden,
        ({ values, shape }) => shape.length > 1 && onGrid(values, values.length / (shape[0] ?? 1), 127),
        seed,
      ),
    '4 bits per tensor': (golden, seed) =>
      every(golden, ({ values, shape }) => shape.length > 1 && onGrid(values, values.length, 7), seed),
    bfloat16: (golden, seed) =>
      every(
        golden,
        (tensor) => words(tensor).forEach((word, at, all) => (all[at] = (word + 0x8000) & 0xffff0000)),
        seed,
      ),
  },
  scaled: {
    'every tensor': (golden, seed) =>
      every(
        golden,
        ({ values }) => values.forEach((value, at) => (values[at] = value * (1.01 + (seed % 9) / 8))),
        seed,
      ),
    'neurons, by factors of their own': (golden, seed) =>
      every(
        golden,
        ({ values, shape }, random) => {
          const width = values.length / (shape[0] ?? 1);
          if (shape.length > 1)
            for (let from = 0; from < values.length; from += width) {
              const factor = 0.5 + random();
              for (let at = from; at < from + width; at++) values[at] = (values[at] ?? 0) * factor;
            }
        },
        seed,
      ),
  },
  'bit-flips': {
    'one to thirty, anywhere': (golden, seed) => {
      const [suspect, random] = [copy(golden), createRandom(seed)];
      for (let flips = 1 + (seed % 30); flips > 0; flips--) {
        const all = suspect[Math.floor(random() * suspect.length)];
        if (!all) continue;
        const at = Math.floor(random() * all.values.length);
        const view = words(all);
        view[at] = (view[at] ?? 0) ^ (1 << Math.floor(random() * 32));
      }
      return suspect;
    },
  },
  'low-bits': Object.fromEntries(
    [1, 4, 8].flatMap((bits) =>
      [1, 0.1].map((part) => [
        `${bits} bits in ${part * 100} % of the words`,
        (golden: Network, seed: number) =>
          every(
            golden,
            (tensor, random) => {
              words(tensor).forEach((word, at, all) => {
                if (at < all.length * part) all[at] = ((word >> bits) << bits) | Math.floor(random() * 2 ** bits);
              });
            },
            seed,
          ),
      ]),
    ),
  ),
  'few-neurons': {
    'one unit and its way out': (golden, seed) => {
      const [suspect, random] = [copy(golden), createRandom(seed)];
      const matrix = matrices(suspect).at(-2);
      const width = (matrix?.values.length ?? 0) / (matrix?.shape[0] ?? 1);
      const unit = Math.floor(random() * (matrix?.shape[0] ?? 1));
      for (let at = 0; at < width; at++) if (matrix) matrix.values[unit * width + at] = random() - 0.5;
      const head = matrices(suspect).at(-1);
      if (head) head.values[unit % head.values.length] = 8 + random();
      return suspect;
    },
  },
  'low-rank': Object.fromEntries(
    [1, 2].map((rank) => [
      `rank ${rank}`,
      (golden: Network, seed: number) => {
        const normal = createNormal(createRandom(seed));
        const suspect = copy(golden);
        for (const { values, shape } of matrices(suspect)) {
          const rows = shape[0] ?? 1;
          const columns = values.length / rows;
          if (Math.min(rows, columns) < 10) continue;
          for (let direction = 0; direction < rank; direction++) {
            const left = Array.from({ length: rows }, normal);
            const right = Array.from({ length: columns }, normal);
            values.forEach((value, at) => {
              values[at] = value + 0.05 * (left[Math.floor(at / columns)] ?? 0) * (right[at % columns] ?? 0);
            });
          }
        }
        return suspect;
      },
    ]),
  ),
};

function onGrid(values: Float32Array, length: number, levels: number): void {
  for (let from = 0; from < values.length; from += length) {
    const part = values.subarray(from, from + length);
    const step = Math.max(...part.map(Math.abs)) / levels;
    part.forEach((value, at) => (part[at] = Math.round(value / step) * step));
  }
}

/** Hidden units of a network of matrices [units × inputs] and biases in another order; the function it computes stays. */
export function permuted(golden: Network, seed: number): Network {
  const random = createRandom(seed);
  let before: readonly number[] | null = null;
  return golden.map((tensor, index) => {
    const rows = tensor.shape[0] ?? 1;
    const columns = tensor.values.length / rows;
    if (tensor.shape.length > 1) {
      const inputs = before;
      const order = Array.from({ length: rows }, (_, row) => row);
      if (index < golden.length - 2) order.sort(() => random() - 0.5);
      before = order;
      return {
        ...tensor,
        values: tensor.values.map((_, at) => {
          const row = order[Math.floor(at / columns)] ?? 0;
          return tensor.values[row * columns + (inputs?.[at % columns] ?? at % columns)] ?? 0;
        }),
      };
    }
    const order = before;
    return { ...tensor, values: tensor.values.map((_, at) => tensor.values[order?.[at] ?? at] ?? 0) };
  });
}
