import type { Budget } from './budget.ts';
import { scalarWatch, TESTS_PER_SCALAR, type Described } from './scalar.ts';
import type { Reading } from './reading.ts';
import type { Sentinel } from './sentinel.ts';

/** Level and variance of one figure of the answers against the hold-out's. */
function answerSentinel(
  about: { name: string; figure: string; of: (reading: Reading) => number },
  described: Described,
  count: number,
  budget: Budget,
): Sentinel {
  const watch = scalarWatch(described, count);
  const threshold = budget.threshold(TESTS_PER_SCALAR);
  let evidence = 0;
  return {
    name: about.name,
    kind: 'drift',
    observe(_event, reading) {
      if (!reading) return null;
      const found = watch.step(about.of(reading));
      evidence = found.evidence;
      if (evidence < threshold) return null;
      const level = watch.level();
      watch.reset();
      return {
        statement: `The ${about.figure} of the answers is ${found.what} on the golden hold-out: ${level.toFixed(3)} in the mean of late, ${described.mean.toFixed(3)} there.`,
        evidence,
        threshold,
        client: null,
        figures: { level, golden: described.mean },
      };
    },
    state: () => ({ level: watch.level(), evidence, threshold }),
  };
}

export function confidenceSentinel(confidence: Described, count: number, budget: Budget): Sentinel {
  const of = (reading: Reading): number => reading.confidence;
  return answerSentinel({ name: 'confidence', figure: 'confidence', of }, confidence, count, budget);
}

export function entropySentinel(entropy: Described, count: number, budget: Budget): Sentinel {
  const of = (reading: Reading): number => reading.entropy;
  return answerSentinel({ name: 'entropy', figure: 'entropy (nats)', of }, entropy, count, budget);
}
