/**
 * Lower factor of a symmetric positive definite matrix A = L Lᵀ, row-major [n × n] (Golub and Van Loan, Matrix Computations, §4.2). Only the
 * lower half of `a` is read; what is above the diagonal of the answer is undefined. null where A is not positive definite.
 */
export function cholesky(a: Float64Array, n: number): Float64Array | null {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (l[rowI + k] ?? 0) * (l[rowJ + k] ?? 0);
      if (j < i) l[rowI + j] = sum / (l[rowJ + j] ?? 1);
      else if (sum > 0) l[rowI + i] = Math.sqrt(sum);
      else return null;
    }
  }
  return l;
}

/** L⁻¹ v, written over `v` (n numbers from `at`). */
export function forward(l: Float64Array, n: number, v: Float64Array, at = 0): void {
  for (let i = 0; i < n; i++) {
    let sum = v[at + i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (l[i * n + k] ?? 0) * (v[at + k] ?? 0);
    v[at + i] = sum / (l[i * n + i] ?? 1);
  }
}

/** L⁻ᵀ v, written over `v`. */
export function backward(l: Float64Array, n: number, v: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    let sum = v[i] ?? 0;
    for (let k = i + 1; k < n; k++) sum -= (l[k * n + i] ?? 0) * (v[k] ?? 0);
    v[i] = sum / (l[i * n + i] ?? 1);
  }
}
