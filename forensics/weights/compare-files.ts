import { closeSync, openSync, readSync } from 'node:fs';
import type { WeightsDetail } from '../../domain/contracts/finding.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { evidenceOf, joined, untouched, type Evidence } from './evidence.ts';
import { kindOf } from './kinds.ts';
import { locateWeights, type LocatedModel, type LocatedWeight } from './located.ts';
import { compareRanges, type ByteRange } from './stream.ts';

/** What is held of each file while a changed tensor is looked at. */
const BLOCK_BYTES = 64 * 1024 * 1024;
const MAX_ROWS = 200;
const MAX_SINGULAR_VALUES = 8;

export interface FileComparison {
  readonly words: number;
  readonly changed: number;
  /** Words that are not numbers, where the suspect differs. */
  readonly nonFinite: number;
  /** Rows of the tensors that changed, the largest relative change first; spectra are those of a tensor's first rows and columns. */
  readonly detail: WeightsDetail;
  /** Initializers that were not compared: of another type, stored as lists, or without a counterpart of their shape. */
  readonly left: readonly string[];
}

/**
 * Compares two model files in memory that does not grow with them: two blocks, and the model files without their external data. A tensor
 * without a changed bit costs one pass; neurons are not matched, so that a permuted model is called `dense`.
 */
export function compareModelFiles(
  suspect: string,
  golden: string,
  progress: (words: string) => void = () => {},
): FileComparison {
  const [own, reference] = [locateWeights(suspect), locateWeights(golden)];
  const pairs = pairsOf(own, reference);
  const found = pairs.map(({ weight, counterpart }, index) => {
    progress(`${weight.name} (${index + 1} of ${pairs.length})`);
    const { changed, nonFinite } = compareRanges(weight.range, counterpart.range);
    return {
      weight,
      nonFinite,
      evidence: changed === 0 ? untouched(weight.range.length / 4) : inBlocks(weight, counterpart),
    };
  });
  const total = (of: (evidence: Evidence) => number) => found.reduce((sum, { evidence }) => sum + of(evidence), 0);
  const compared = new Set(pairs.map(({ weight }) => weight.name));
  return {
    words: total(({ entries }) => entries),
    changed: total(({ changed }) => changed),
    nonFinite: found.reduce((sum, { nonFinite }) => sum + nonFinite, 0),
    detail: {
      analyser: 'weights',
      change: kindOf(found.map(({ evidence }) => evidence)),
      tensors: found
        .filter(({ evidence }) => evidence.changed > 0)
        .map(({ weight, evidence }) => rowOf(weight, evidence))
        .sort((a, b) => b.relativeChange - a.relativeChange)
        .slice(0, MAX_ROWS),
      relativeChange: ratio(
        total(({ difference }) => difference),
        total((evidence) => evidence.golden),
      ),
    },
    left: [...own.others, ...own.weights.map(({ name }) => name).filter((name) => !compared.has(name))],
  };
}

function rowOf({ name, shape }: LocatedWeight, evidence: Evidence): WeightsDetail['tensors'][number] {
  return {
    name,
    shape,
    l2Suspect: Math.sqrt(Math.max(0, evidence.suspect)),
    l2Golden: Math.sqrt(evidence.golden),
    relativeChange: ratio(evidence.difference, evidence.golden),
    changedShare: evidence.changed / evidence.entries,
    spectrum: evidence.spectrum.values.slice(0, MAX_SINGULAR_VALUES),
    effectiveRank: evidence.spectrum.effectiveRank,
  };
}

function pairsOf(own: LocatedModel, reference: LocatedModel) {
  const counterparts = new Map(reference.weights.map((weight) => [weight.name, weight]));
  return own.weights.flatMap((weight) => {
    const counterpart = counterparts.get(weight.name);
    return counterpart && counterpart.shape.join() === weight.shape.join() ? [{ weight, counterpart }] : [];
  });
}

/** Rows of the matrix [first dimension × rest] in blocks; a single row longer than a block is cut, and its parts count as rows. */
function inBlocks(weight: LocatedWeight, counterpart: LocatedWeight): Evidence {
  const entries = weight.range.length / 4;
  const row = Math.max(1, entries / Math.max(1, weight.shape[0] ?? 1));
  const perBlock = BLOCK_BYTES / 4;
  const step = row > perBlock ? perBlock : Math.floor(perBlock / row) * row;
  const parts: Evidence[] = [];
  for (let at = 0; at < entries; at += step) {
    const count = Math.min(step, entries - at);
    const [suspect, golden] = [weight.range, counterpart.range].map((range) => floatsAt(range, at, count));
    if (!suspect || !golden) throw new TypeError('two ranges were read');
    const shape = row > perBlock ? [1, count] : [count / row, row];
    parts.push(evidenceOf({ name: weight.name, shape, suspect, golden }));
  }
  return joined(parts);
}

function floatsAt(range: ByteRange, first: number, count: number): Float32Array {
  const values = new Float32Array(count);
  const bytes = new Uint8Array(values.buffer);
  const file = openSync(range.path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(file, bytes, done, bytes.length - done, range.offset + first * 4 + done);
      if (read === 0)
        throw new Failure('model/invalid', `The file ends before byte ${range.offset + first * 4 + bytes.length}.`);
      done += read;
    }
    return values;
  } finally {
    closeSync(file);
  }
}

function ratio(difference: number, golden: number): number {
  return golden > 0 ? Math.sqrt(difference / golden) : Math.sqrt(difference);
}
