import { FAILURES, type FailureCode } from './failures.ts';

/** The station's one error class: a code of the catalogue, a sentence for people, and the cause. */
export class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
  }
  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}
