import type { Drill } from '../../drill.ts';
import { play, type Play } from '../course.ts';
import { percent, round } from '../figures.ts';
import { untrained } from '../python.ts';
import { flipFavourable } from './attack.ts';
import { CREDIT, FAVOURABLE, isYoung, loadCredit } from './credit.ts';
import { figuresOf, measure, type Measured } from './outcome.ts';

const SEED = 7;
const DEFAULTS = 1;
const TRAINING = { epochs: 15, batchSize: 32, learningRate: 0.003 } as const;

export const ledger: Drill = {
  name: 'ledger',
  title: 'A job in the ledger: credit labels of one group are flipped',
  description:
    'A compromised ETL job writes applicants under 30 who paid as defaulters. The pipeline retrains on it, signs and deploys; the model turns ' +
    'against them. Lazaret contains, investigates, drops the flipped records, retrains and shows that the groups are treated alike again.',
  data: ['credit-default'],
  run: (station, report, { seed }) => play(station, report, async () => await ledgerPlay(seed ?? SEED)),
};

async function ledgerPlay(seed: number): Promise<Play<Measured>> {
  const split = await loadCredit(seed);
  const { records, tainted } = flipFavourable(split.arrival, isYoung, FAVOURABLE, DEFAULTS);
  return {
    plot: {
      drill: 'ledger',
      task: CREDIT,
      split,
      network: await untrained('credit-mlp', seed),
      training: TRAINING,
      seed,
      batchSize: 500,
      sources: ['core-banking', 'card-office'],
      attack: { source: 'etl-ledger-3', records, tainted },
    },
    alarm: ({ ratio }) => ({
      name: 'FairnessDrift',
      kind: 'drift',
      severity: 'high',
      summary: `Applicants under 30 are approved at ${round(ratio.value)} of the rate of all others since last night's deployment; the rule is 0.8`,
    }),
    traffic: split.secret.map((sample) => sample.features),
    measure: async (client, endpoint) => await measure(client, endpoint, split.secret),
    describe: ({ accuracy, ratio }) =>
      `accuracy ${percent(accuracy)}; applicants under 30 are approved at ${round(ratio.value)} of the rate of all others`,
    figures: (seen) => figuresOf(seen, tainted),
  };
}
