/**
 * One USTAR archive (POSIX.1-1988, pax(1) "ustar Interchange Format") in the only form there is for given files: regular files, sorted names,
 * mode 0644, owner 0, time 0, two zero blocks at the end. So every bit of the container is either content or determined by it, and a reader
 * can tell any other bit. Nothing is ever extracted to disk here; names are letters, digits, dots, hyphens and slashes.
 */
const BLOCK = 512;
const END_BLOCKS = 2;
/** What the size field can say: eleven octal digits. */
const MAX_FILE_BYTES = 0o77777777777;
/** Both the reader and the writer hold the whole bundle in memory. */
export const MAX_BUNDLE_BYTES = 2 ** 30;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,98}$/;

/** Field offsets and contents of a header, in the order of the format. */
function headerOf(name: string, size: number): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write('0000000\0', 329, 'latin1');
  header.write('0000000\0', 337, 'latin1');
  // The checksum is the sum of all bytes with its own field as spaces.
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The archive piece by piece. Throws RangeError on a name or size that it cannot hold. */
export function* writeContainer(files: ReadonlyMap<string, Uint8Array>): Generator<Uint8Array> {
  for (const name of [...files.keys()].sort()) {
    const content = files.get(name) ?? new Uint8Array();
    if (!NAME.test(name) || content.length > MAX_FILE_BYTES)
      throw new RangeError(`cannot be held in a bundle: ${name}`);
    yield headerOf(name, content.length);
    yield content;
    yield new Uint8Array(paddingOf(content.length));
  }
  yield new Uint8Array(END_BLOCKS * BLOCK);
}

export type OpenedContainer =
  | { readonly files: ReadonlyMap<string, Uint8Array> }
  /** `place` names the entry, or where in the file there should be one. */
  | { readonly place: string; readonly detail: string };

/** Takes an archive apart. Anything but the canonical form is refused, with the entry it is at; never throws. */
export function readContainer(bytes: Uint8Array): OpenedContainer {
  if (bytes.length > MAX_BUNDLE_BYTES) return { place: 'the file', detail: `is larger than ${MAX_BUNDLE_BYTES} bytes` };
  const files = new Map<string, Uint8Array>();
  let at = 0;
  let last = '';
  for (;;) {
    const header = bytes.subarray(at, at + BLOCK);
    const name = nameIn(header);
    const size = sizeIn(header);
    // No entry fits before the end mark any more, or there is none.
    if (name === null && (isZero(header) || bytes.length - at <= END_BLOCKS * BLOCK))
      return end(bytes, at, last, files);
    const place = name ?? `the entry ${after(last)}`;
    if (name === null || size === null || Buffer.compare(header, headerOf(name, size)) !== 0) {
      return { place, detail: `the header at byte ${at} is not in its canonical form` };
    }
    if (name <= last) return { place, detail: `the entry stands behind ${last}: the names are not in order` };
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    const padding = bytes.subarray(at + BLOCK + size, at + BLOCK + size + paddingOf(size));
    if (content.length < size || padding.length < paddingOf(size)) return { place, detail: 'the entry is cut off' };
    if (!isZero(padding)) return { place, detail: 'there is something in the padding behind the entry' };
    files.set(name, content);
    last = name;
    at += BLOCK + size + padding.length;
  }
}

function end(bytes: Uint8Array, at: number, last: string, files: ReadonlyMap<string, Uint8Array>): OpenedContainer {
  const tail = bytes.subarray(at);
  if (tail.length !== END_BLOCKS * BLOCK || !isZero(tail)) {
    return { place: 'the end mark', detail: `what stands ${after(last)}, at byte ${at}, is not the end mark` };
  }
  return { files };
}

function nameIn(header: Uint8Array): string | null {
  const field = header.subarray(0, 100);
  const zero = field.indexOf(0);
  const name = Buffer.from(zero < 0 ? field : field.subarray(0, zero)).toString('latin1');
  return NAME.test(name) ? name : null;
}

function sizeIn(header: Uint8Array): number | null {
  const text = Buffer.from(header.subarray(124, 135)).toString('latin1');
  return /^[0-7]{11}$/.test(text) ? Number.parseInt(text, 8) : null;
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function after(last: string): string {
  return last === '' ? 'at the start' : `behind ${last}`;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
