import type { Budget } from './budget.ts';
import { PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets, type BernoulliBets } from './sequential/bernoulli.ts';
import type { Sentinel } from './sentinel.ts';

/** Answers of a group after release in which its share of each class is learnt, and then never again. */
const REFERENCE = 500;
/** Groups beyond this many are not watched; a client that invents values MUST NOT fill the memory. */
const MOST_GROUPS = 32;
const MOST_CLASSES = 16;
const ODDS = 2;

interface Group {
  readonly name: string;
  readonly counts: Float64Array;
  seen: number;
  bets: BernoulliBets | null;
}

/**
 * Whether a group of a protected attribute gets other answers than before: the share of each class among its answers, to both sides, against its
 * first 500 answers after release. What the model did to the group before that, it is blind to: the release gate looks at it.
 */
export function fairnessSentinel(classes: number, budget: Budget): Sentinel {
  const watched = Math.min(classes, MOST_CLASSES);
  const groups = new Map<string, Group>();
  const threshold = budget.threshold(2 * watched);
  let [evidence, left] = [0, 0];

  function groupOf(name: string): Group | null {
    const known = groups.get(name);
    if (known) return known;
    if (groups.size >= MOST_GROUPS) {
      left++;
      return null;
    }
    const made: Group = { name, counts: new Float64Array(watched), seen: 0, bets: null };
    groups.set(name, made);
    return made;
  }

  return {
    name: 'fairness',
    kind: 'drift',
    observe(event, reading) {
      if (!reading || !event.protected) return null;
      evidence = -Infinity;
      for (const [attribute, value] of Object.entries(event.protected)) {
        const group = groupOf(`${attribute}=${value}`);
        if (!group) continue;
        group.seen++;
        if (!group.bets) {
          if (reading.predicted < watched) group.counts[reading.predicted] = (group.counts[reading.predicted] ?? 0) + 1;
          if (group.seen === REFERENCE) group.bets = betsOf(group.counts);
          continue;
        }
        for (let one = 0; one < watched; one++) {
          group.bets.step(one, reading.predicted === one);
          group.bets.step(watched + one, reading.predicted !== one);
        }
        const best = group.bets.best();
        // Each answer counts for every attribute of its record.
        const now = best.evidence - Math.log(Object.keys(event.protected).length);
        evidence = Math.max(evidence, now);
        if (now < threshold) continue;
        group.bets.reset();
        const one = best.at % watched;
        return {
          statement: `Records with ${group.name} are answered with class ${one} ${best.at < watched ? 'more' : 'less'} often than after the release (${((100 * (group.counts[one] ?? 0)) / REFERENCE).toFixed(1)} %).`,
          evidence: now,
          threshold,
          client: null,
          figures: { class: one, reference: (group.counts[one] ?? 0) / REFERENCE },
        };
      }
      return null;
    },
    state: () => ({ evidence, threshold, groups: groups.size, notWatched: left }),
  };
}

function betsOf(counts: Float64Array): BernoulliBets {
  const doubt = PROFILE_DOUBT / (2 * counts.length * MOST_GROUPS);
  const more = Array.from(counts, (n) => upperRate(n, REFERENCE, doubt));
  const fewer = Array.from(counts, (n) => upperRate(REFERENCE - n, REFERENCE, doubt));
  return bernoulliBets([...more, ...fewer], ODDS);
}
