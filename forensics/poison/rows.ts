/** Some rows of a row-major table, in the order asked. */
export function rowsAt(features: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const some = new Float32Array(rows.length * width);
  rows.forEach((row, at) => some.set(features.subarray(row * width, (row + 1) * width), at * width));
  return some;
}
