import { MAX_TOGETHER, type Run } from './thread-protocol.ts';

/**
 * Which waiting requests run together. Nobody waits for company: what came in while the engine was busy goes together, in the order it came,
 * as long as the run is expected to stay within BOUND_US. So batching never costs a request more than one bounded run of others.
 */
export interface Batches {
  add(run: Run): void;
  /** The next ones, of the same shapes but for the first dimension; empty where none waits. */
  next(): readonly Run[];
  /** What a run took in microseconds; teaches how much fits into the bound. */
  took(group: readonly Run[], us: number): void;
}

const BOUND_US = 20_000;
/** Of the newest run in the mean cost of a row. */
const WEIGHT = 0.2;

/** `together` is false where the answers to a row depend on the others in its batch: then every request runs alone. */
export function createBatches(together: boolean): Batches {
  let waiting: Run[] = [];
  let usOfRow = 0;
  return {
    add: (run) => void waiting.push(run),
    next() {
      const [first] = waiting;
      if (!first) return [];
      const rows = usOfRow > 0 ? BOUND_US / usOfRow : MAX_TOGETHER;
      let taken = rowsOf(first);
      let count = 1;
      if (together && !first.alone)
        for (; count < Math.min(waiting.length, MAX_TOGETHER); count += 1) {
          const next = waiting[count];
          if (!next || next.alone || !fits(first, next) || taken + rowsOf(next) > rows) break;
          taken += rowsOf(next);
        }
      const group = waiting.slice(0, count);
      waiting = waiting.slice(count);
      return group;
    },
    took(group, us) {
      const rows = group.reduce((sum, run) => sum + rowsOf(run), 0);
      if (rows > 0) usOfRow += (usOfRow === 0 ? 1 : WEIGHT) * (us / rows - usOfRow);
    },
  };
}

function rowsOf({ inputs: [first] }: Run): number {
  return first?.shape[0] ?? 1;
}

/** The same number of rows in every input of a request, and the same shape of a row. */
function fits(one: Run, other: Run): boolean {
  return one.inputs.every(({ shape }, index) => {
    const theirs = other.inputs[index]?.shape ?? [];
    return (
      shape[0] === rowsOf(one) &&
      theirs[0] === rowsOf(other) &&
      shape.length === theirs.length &&
      shape.every((dim, axis) => axis === 0 || dim === theirs[axis])
    );
  });
}
