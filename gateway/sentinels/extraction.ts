import { PROFILE_QUANTILES, type Profile, type StreamProfile } from '../../domain/contracts/golden.ts';
import type { Budget } from './budget.ts';
import { PLACES, POOL, type Clients } from './clients.ts';
import { PROFILE_DOUBT, upperRate } from './limits.ts';
import { LEAST_P } from './outliers.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import { surpriseBets } from './sequential/surprise.ts';
import type { Sentinel } from './sentinel.ts';
import { createSpike } from './spike.ts';

/** Most of what an extractor asks is strange; a client with some odd records is none. */
const SHARES = [0.1, 0.5] as const;
/** Odds at which each habit of an extractor is bet on. */
const HABITS = [
  { what: 'asks what lies close to his own earlier questions', p: 0.05, odds: 6 },
  { what: 'asks where the model is unsure', p: 0.25, odds: 2.5 },
  { what: 'asks where the model is unsure', p: 0.05, odds: 5 },
] as const;
/** p-values that are a little small, all the time: columns that were shuffled or made up one by one are each as they should be. */
const STRAYS = [
  { p: 0.35, odds: 4 },
  { p: 0.1, odds: 6 },
] as const;
const WHAT = [
  ...HABITS.map(({ what }) => what),
  'asks what is unlike the golden hold-out',
  'sends a share of all requests that no client had before',
  ...STRAYS.map(() => 'asks what does not go together as on the golden hold-out'),
];
const TESTS = HABITS.length + SHARES.length + 1 + STRAYS.length;

/**
 * Somebody who asks to copy the model. Four habits, each tested per client: questions that lie closer together than the hold-out's records do
 * (after PRADA: Juuti et al., EuroS&P 2019, whose test of normality gives no budget), that are unlike the hold-out (random and knock-off
 * questions), that lie where the model is unsure (active learning), and a share of all traffic that no client had before. Only one test's worth of
 * budget is needed for all clients together: each request counts for one of them.
 */
export function extractionSentinel(
  profile: Profile,
  stream: StreamProfile,
  clients: Clients,
  budget: Budget,
): Sentinel {
  const { count } = stream;
  const doubt = PROFILE_DOUBT / HABITS.length;
  const at = (p: number): number => (PROFILE_QUANTILES as readonly number[]).indexOf(p);
  const near = stream.sketch.among.quantiles[at(HABITS[0].p)] ?? 0;
  const unsure = HABITS.slice(1).map(({ p }) => profile.confidence.quantiles[at(p)] ?? 0);
  const bets = HABITS.map(({ p, odds }) =>
    bernoulliBets(new Float64Array(PLACES).fill(upperRate(p * count, count, doubt)), odds),
  );
  const strays = STRAYS.map(({ p, odds }) => bernoulliBets(new Float64Array(PLACES).fill(p), odds));
  const strange = surpriseBets(PLACES, SHARES, LEAST_P);
  const spike = createSpike();
  // A question of a newcomer counts twice: for him and for the pool.
  const threshold = budget.threshold(2 * TESTS);
  const clear = (place: number): void => {
    for (const bet of bets) bet.clear(place);
    for (const bet of strays) bet.clear(place);
    strange.clear(place);
    spike.clear(place);
  };
  clients.onChange(clear);
  let evidence = 0;
  return {
    name: 'extraction',
    kind: 'extraction',
    observe(_event, reading) {
      if (!reading?.stream) return null;
      const { strangeness, asked } = reading.stream;
      // Four scores, of which the rarest counts: four chances.
      const p = 4 * Math.min(strangeness.energy, strangeness.rarity, strangeness.joint, strangeness.nearest);
      evidence = -Infinity;
      for (const { place, name, before, distance } of asked) {
        const found = [
          before > 0 ? (bets[0]?.step(place, distance < near) ?? 0) : 0,
          bets[1]?.step(place, reading.confidence <= (unsure[0] ?? 0)) ?? 0,
          bets[2]?.step(place, reading.confidence <= (unsure[1] ?? 0)) ?? 0,
          strange.step(place, p),
          place === POOL ? 0 : spike.step(place),
          ...strays.map((bet, k) => bet.step(place, strangeness.joint <= (STRAYS[k]?.p ?? 0))),
        ];
        const most = Math.max(...found);
        evidence = Math.max(evidence, most);
        if (most < threshold) continue;
        const habit = found.indexOf(most);
        clear(place);
        return {
          statement: `Client ${name} ${WHAT[habit]}: ${before + 1} questions so far.`,
          evidence: most,
          threshold,
          client: name,
          figures: { questions: before + 1, habit },
        };
      }
      return null;
    },
    state: () => ({
      evidence,
      threshold,
      clients: clients.known(),
      forgotten: clients.forgotten(),
      shareLimit: spike.limit(),
    }),
  };
}
