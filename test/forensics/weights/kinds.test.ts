import { describe, expect, it } from '@jest/globals';
import { WEIGHT_CHANGES } from '../../../domain/contracts/finding.ts';
import { changeOf } from '../../../forensics/weights/change.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { makers, permuted } from './changes.ts';
import { copy, digitsNetwork, paired, randomNetwork, train, type Network } from './networks.ts';

const SEEDS = 3;
const perceptron = train(randomNetwork([64, 32, 10], 1), { steps: 2000, rate: 0.05, random: createRandom(1) });
const networks: Readonly<Record<string, Network>> = {
  'the digits network': digitsNetwork(),
  'a trained perceptron': perceptron,
  'a random deep network': randomNetwork([40, 48, 24, 12], 2),
  'a random wide network': randomNetwork([100, 16, 20], 3),
};
const named = (suspect: Network, golden: Network) => changeOf(paired(suspect, golden)).kind;

describe('a change of weights is named', () => {
  for (const kind of WEIGHT_CHANGES)
    for (const [way, make] of Object.entries(makers[kind] ?? {}))
      it(`${kind}: ${way}, in every network and with every seed`, () => {
        for (const [name, golden] of Object.entries(networks))
          for (let seed = 1; seed <= SEEDS; seed++)
            expect([name, seed, named(make(golden, seed), golden)]).toEqual([name, seed, kind]);
      });

  it('permutation: hidden neurons in another order, also after a training on top', () => {
    for (const golden of [perceptron, networks['a random deep network'] ?? perceptron])
      for (let seed = 1; seed <= SEEDS; seed++)
        expect(changeOf(paired(permuted(golden, seed), golden))).toMatchObject({ kind: 'permutation', rest: 'none' });
    const retrained = train(copy(perceptron), { steps: 200, rate: 0.01, random: createRandom(5) });
    expect(changeOf(paired(permuted(retrained, 3), perceptron))).toMatchObject({ kind: 'permutation', rest: 'dense' });
  });

  it('dense: a retraining, long or short, fast or slow, or from the start', () => {
    for (let seed = 1; seed <= 3 * SEEDS; seed++) {
      const [steps, rate] = [100 * seed, [0.05, 0.01, 0.001, 1e-4][seed % 4] ?? 0.05];
      expect(named(train(copy(perceptron), { steps, rate, random: createRandom(seed) }), perceptron)).toBe('dense');
    }
    expect(named(randomNetwork([64, 32, 10], 9), perceptron)).toBe('dense');
    expect(named(digitsNetwork('digits-suspect'), digitsNetwork())).toBe('dense');
  });
});
