/** A `.npy` file as NumPy writes it; the header's text and the version can be anything, for hostile ones. */
export function npy(header: string, data: ArrayBufferView, version: readonly [number, number] = [1, 0]): Uint8Array {
  const prefix = version[0] === 1 ? 10 : 12;
  const text = Buffer.from(header, version[0] === 3 ? 'utf8' : 'latin1');
  const padding = 64 - ((prefix + text.length + 1) % 64);
  const length = Buffer.alloc(prefix - 8);
  if (version[0] === 1) length.writeUInt16LE(text.length + padding + 1);
  else length.writeUInt32LE(text.length + padding + 1);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, ...version]),
      length,
      text,
      Buffer.from(`${' '.repeat(padding)}\n`),
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );
}

export function header(descr: string, shape: readonly number[], fortran = false): string {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  return `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sizes}), }`;
}
