import { DATA_TYPES } from '../../onnx/model.ts';
import type { Tensor } from '../file/model.ts';
import { declaredElements } from '../file/numbers.ts';
import type { Hit, Rule } from '../rule.ts';
import { quoted } from './names.ts';

/** docs/ExternalData.md of github.com/onnx/onnx; loaders that set any key as a property were open to CVE-2026-34445. */
const KEYS = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);
const LARGEST = 2n ** 44n;

const outside = (tensors: readonly Tensor[]): Tensor[] =>
  tensors.filter((tensor) => tensor.isExternal || tensor.external.length > 0);

const value = (tensor: Tensor, key: string): string | null =>
  tensor.external.find(([name]) => name === key)?.[1] ?? null;

/** Why a location may leave the folder of the model (CVE-2022-25882, CVE-2024-27318, CVE-2025-51480), or null. */
export function escape(location: string): string | null {
  if (location === '') return 'is empty';
  const plain = decodeLoosely(location).replaceAll('\\', '/');
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  if (/[\u0000-\u001f\u007f]/.test(plain)) return 'has control characters';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(plain)) return 'is an address';
  if (/^(\/|~|[a-z]:)/i.test(plain)) return 'is absolute';
  if (plain.split('/').includes('..')) return 'climbs out of the folder';
  if (/[$%]\{?\w+|^(con|nul|aux|com\d)$/i.test(plain)) return 'names a variable or device';
  return null;
}

function decodeLoosely(location: string): string {
  return location.replace(/%(2e|2f|5c)/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

interface Range {
  readonly tensor: Tensor;
  readonly location: string;
  readonly from: bigint;
  readonly to: bigint;
}

const number = (text: string | null): bigint | null => (text !== null && /^\d{1,19}$/.test(text) ? BigInt(text) : null);

function bytesDeclared(tensor: Tensor): bigint | null {
  const count = declaredElements(tensor.dims);
  const width = DATA_TYPES[tensor.dataType]?.bytes ?? null;
  return count === null || width === null ? null : BigInt(count) * BigInt(width);
}

function rangeOf(tensor: Tensor): Range | null {
  const from = number(value(tensor, 'offset') ?? '0');
  const length = number(value(tensor, 'length')) ?? bytesDeclared(tensor);
  return from === null || length === null
    ? null
    : { tensor, location: (value(tensor, 'location') ?? '').replace(/^\.\//, ''), from, to: from + length };
}

function* ranges(tensors: readonly Tensor[], sizes: ReadonlyMap<string, number> | null): Iterable<Hit> {
  for (const tensor of tensors) {
    for (const key of ['offset', 'length']) {
      const given = value(tensor, key);
      const parsed = number(given);
      if (given !== null && (parsed === null || parsed > LARGEST))
        yield { place: tensor.path, words: `${key} ${quoted(given)} is no position in a file` };
    }
    const length = number(value(tensor, 'length'));
    const declared = bytesDeclared(tensor);
    if (length !== null && declared !== null && length !== declared)
      yield { place: tensor.path, words: `takes ${length} bytes for a shape of ${declared}` };
    const range = rangeOf(tensor);
    const size = range && sizes?.get(range.location);
    if (range && size !== undefined && size !== null && range.to > BigInt(size))
      yield { place: tensor.path, words: `reads to byte ${range.to} of a file of ${size}` };
  }
}

/** Sorted by where they begin, two ranges overlap exactly when a later one begins before the furthest end so far. */
function* overlaps(tensors: readonly Tensor[]): Iterable<Hit> {
  const byFile = new Map<string, Range[]>();
  for (const tensor of tensors) {
    const range = rangeOf(tensor);
    if (range === null || range.to <= range.from) continue;
    const list = byFile.get(range.location);
    if (list) list.push(range);
    else byFile.set(range.location, [range]);
  }
  for (const list of byFile.values()) {
    list.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1));
    let furthest: Range | null = null;
    for (const range of list) {
      // Tied weights share one range exactly: one embedding, two names.
      const tied = furthest !== null && furthest.from === range.from && furthest.to === range.to;
      if (furthest !== null && !tied && range.from < furthest.to)
        yield {
          place: range.tensor.path,
          words: `shares bytes of ${quoted(range.location)} with ${quoted(furthest.tensor.name)}`,
        };
      if (furthest === null || range.to > furthest.to) furthest = range;
    }
  }
}

export const externalRules: readonly Rule[] = [
  {
    id: 'external/data',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'Tensors lie in other files, which the digest of this one does not cover.',
    *check({ model }) {
      const tensors = outside(model.tensors);
      if (tensors.length > 0) yield { place: 'model', words: `${tensors.length} tensors lie in other files` };
    },
  },
  {
    id: 'external/path',
    level: 'alarm',
    meaning: 'A tensor is read from outside the folder of the model.',
    *check({ model }) {
      for (const tensor of outside(model.tensors)) {
        const location = value(tensor, 'location');
        const reason = location === null ? 'is missing' : escape(location);
        if (reason !== null) yield { place: tensor.path, words: `location ${quoted(location ?? '')} ${reason}` };
      }
    },
  },
  {
    id: 'external/range',
    level: 'alarm',
    meaning: 'A tensor takes bytes that do not fit its shape or its file.',
    check: ({ model, externalFiles }) => ranges(outside(model.tensors), externalFiles),
  },
  {
    id: 'external/overlap',
    level: 'alarm',
    meaning: 'Two tensors share bytes of a file: changing one changes the other.',
    check: ({ model }) => overlaps(outside(model.tensors)),
  },
  {
    id: 'external/missing',
    level: 'alarm',
    meaning: 'A file that the model reads is not there.',
    *check({ model, externalFiles }) {
      if (externalFiles === null) return;
      for (const location of new Set(outside(model.tensors).map((tensor) => value(tensor, 'location'))))
        if (location && escape(location) === null && !externalFiles.has(location.replace(/^\.\//, '')))
          yield { place: 'model', words: `${quoted(location)} is not beside the model` };
    },
  },
  {
    id: 'external/key',
    level: 'alarm',
    meaning: 'External data carries keys that the format does not have, or one twice.',
    *check({ model }) {
      for (const tensor of model.tensors) {
        const keys = tensor.external.map(([key]) => key);
        const odd = keys.filter((key, at) => !KEYS.has(key) || keys.indexOf(key) !== at);
        if (odd.length > 0) yield { place: tensor.path, words: `keys ${odd.slice(0, 4).map(quoted).join(', ')}` };
      }
    },
  },
  {
    id: 'external/and-inside',
    level: 'alarm',
    meaning: 'A tensor has values inside and outside of the file, or says that it lies outside without saying where.',
    *check({ model }) {
      for (const tensor of model.tensors) {
        const inside = tensor.raw !== null || tensor.lists.size > 0;
        if (inside && (tensor.isExternal || tensor.external.length > 0))
          yield { place: tensor.path, words: 'has values inside the file as well' };
        else if (!tensor.isExternal && tensor.external.length > 0)
          yield { place: tensor.path, words: 'names another file although it says that its values are inside' };
      }
    },
  },
];
