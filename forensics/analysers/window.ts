import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { top } from '../statistics/calibration.ts';

/** One record that a client sent, and the class it was answered. */
export interface CapturedRow {
  /** The request's id; `<id>#<row>` where one request carried several records. */
  readonly id: string;
  readonly input: readonly number[];
  /** Winning class of the answer; null where rules answered or the output was no row of scores. */
  readonly answered: number | null;
}

/**
 * The records of a captured window that `model` answered (any model where it is null), one row each. Requests of another width than the
 * model's are left out: a client's malformed request is no evidence about the model.
 */
export function capturedRows(
  window: readonly LoggedRequest[],
  width: number,
  model: Digest | null,
): readonly CapturedRow[] {
  return window.flatMap((request) => {
    if (model !== null && request.model !== model) return [];
    const count = request.input.data.length / width;
    if (!Number.isInteger(count) || count < 1) return [];
    const classes = request.output.data.length / count;
    const scores = Number.isInteger(classes) && classes > 0 ? Float32Array.from(request.output.data) : null;
    return Array.from({ length: count }, (_, row) => ({
      id: count === 1 ? request.id : `${request.id}#${row}`,
      input: request.input.data.slice(row * width, (row + 1) * width),
      answered: scores === null || request.model === null ? null : top(scores, row, classes).index,
    }));
  });
}

/** The inputs as one row-major table. */
export function tableOf(rows: readonly { readonly input: readonly number[] }[], width: number): Float32Array {
  const table = new Float32Array(rows.length * width);
  rows.forEach((row, index) => table.set(row.input, index * width));
  return table;
}
