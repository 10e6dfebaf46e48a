/** A file that is not an array this reader takes. The message names the place and what was expected. */
export class NpyRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'NpyRefused';
  }
}

export interface NpyHeader {
  /** NumPy's type string, e.g. `<f4`. */
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the data begins, in bytes. */
  readonly dataOffset: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** NumPy's own limit for headers it reads from strangers (`max_header_size`), and ours. */
const HEADER_LIMIT = 10_000;
const DIMENSION_LIMIT = 32;

/**
 * The header of a `.npy` file, format versions 1.0 to 3.0 (NumPy Enhancement Proposal 1 and numpy.lib.format). The header is text of a
 * stranger: it is read by a grammar of its own, never evaluated. Throws NpyRefused.
 */
export function readNpyHeader(bytes: Uint8Array): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, at) => bytes[at] !== byte))
    throw new NpyRefused('this is no .npy file: expected it to begin with \\x93NUMPY');
  const [major, minor] = [bytes[6] ?? 0, bytes[7] ?? 0];
  if (major < 1 || major > 3 || minor !== 0)
    throw new NpyRefused(`expected format version 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = major === 1 ? 10 : 12;
  if (bytes.length < begin) throw new NpyRefused('the file ends before its header');
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > HEADER_LIMIT) throw new NpyRefused(`expected a header of at most ${HEADER_LIMIT} bytes, got ${length}`);
  if (begin + length > bytes.length) throw new NpyRefused('the file ends before its header does');
  const encoding = major === 3 ? 'utf-8' : 'latin1';
  const text = new TextDecoder(encoding).decode(bytes.subarray(begin, begin + length));
  return { ...parseDictionary(text), dataOffset: begin + length };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: exactly these three keys, in any order. */
function parseDictionary(text: string): Omit<NpyHeader, 'dataOffset'> {
  const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*(?:'([^'\\]{1,32})'|(True|False)|\(([\d\s,]*)\))\s*/y;
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined)
    throw new NpyRefused("expected the header to be {'descr': …, 'fortran_order': …, 'shape': …}");
  const found = new Map<string, string>();
  let at = 0;
  while (body.slice(at).trim() !== '') {
    entry.lastIndex = at;
    const match = entry.exec(body);
    const [, key, name, truth, sizes] = match ?? [];
    if (!match || key === undefined || found.has(key)) throw new NpyRefused(unreadable(body.slice(at)));
    const value = { descr: name, fortran_order: truth, shape: sizes }[key];
    if (value === undefined) throw new NpyRefused(unreadable(body.slice(at)));
    found.set(key, value);
    at += match[0].length;
    if (body[at] === ',') at++;
    else if (body.slice(at).trim() !== '') throw new NpyRefused(unreadable(body.slice(at)));
  }
  const descr = found.get('descr');
  const order = found.get('fortran_order');
  const shape = found.get('shape');
  if (descr === undefined || order === undefined || shape === undefined)
    throw new NpyRefused('expected a header with descr, fortran_order and shape, each once');
  return { descr, fortranOrder: order === 'True', shape: dimensions(shape) };
}

function dimensions(text: string): readonly number[] {
  if (!/^\s*(\d+\s*(,\s*\d+\s*)*,?\s*)?$/.test(text))
    throw new NpyRefused('expected the shape to be a tuple of whole numbers');
  const shape = (text.match(/\d+/g) ?? []).map(Number);
  if (shape.length > DIMENSION_LIMIT || shape.some((size) => !Number.isSafeInteger(size)))
    throw new NpyRefused('expected a shape of ordinary size');
  return shape;
}

function unreadable(rest: string): string {
  const shown = rest
    .trim()
    .slice(0, 40)
    .replace(/[^\x20-\x7e]/g, '?');
  return /'descr'\s*:\s*\[/.test(rest)
    ? 'expected an array of plain numbers, got records with named fields'
    : `the header cannot be read from "${shown}"`;
}
