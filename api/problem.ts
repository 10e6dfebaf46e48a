import type { FailureCode } from '../domain/incident/failures.ts';

/** A problem document (RFC 9457), sent as `application/problem+json`. `code` is of the failure catalogue where one fits. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code?: FailureCode;
  /** What is wrong in the body, by place. */
  readonly errors?: readonly { readonly path: string; readonly expected: string }[];
  /** Names that would have been known. */
  readonly known?: readonly string[];
}

/** The kinds of problem the API answers with: the slug of `type`, and the title that goes with it. */
const PROBLEMS = {
  'malformed-request': { status: 400, title: 'The request could not be understood' },
  'not-authenticated': { status: 401, title: 'The caller is not known' },
  'not-allowed': { status: 403, title: 'The caller may not do this' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  conflict: { status: 409, title: 'The present state does not allow it' },
  'too-large': { status: 413, title: 'The body is too large' },
  'wrong-media-type': { status: 415, title: 'The media type is not supported' },
  'unknown-endpoint': { status: 422, title: 'The endpoint is not declared' },
  'too-many-attempts': { status: 429, title: 'Too many failed attempts' },
  internal: { status: 500, title: 'Something failed that should not have' },
  unavailable: { status: 503, title: 'A service that Lazaret needs is away' },
} as const;
export type ProblemKind = keyof typeof PROBLEMS;

interface Extras {
  readonly code?: FailureCode;
  readonly errors?: ProblemDocument['errors'];
  readonly known?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere in the API; the filter turns it into the answer. `detail` is for the caller: no stack, no path, no secret. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly extras: Extras;
  constructor(kind: ProblemKind, detail: string, extras: Extras = {}, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'Problem';
    this.kind = kind;
    this.extras = extras;
  }

  get status(): number {
    return PROBLEMS[this.kind].status;
  }

  document(instance: string): ProblemDocument {
    const { code, errors, known } = this.extras;
    return {
      type: `urn:lazaret:problem:${this.kind}`,
      title: PROBLEMS[this.kind].title,
      status: this.status,
      detail: this.message,
      instance,
      ...(code ? { code } : {}),
      ...(errors ? { errors } : {}),
      ...(known ? { known } : {}),
    };
  }
}

export function problemKindOf(status: number): ProblemKind {
  const kinds = Object.keys(PROBLEMS).filter((kind): kind is ProblemKind => Object.hasOwn(PROBLEMS, kind));
  return kinds.find((kind) => PROBLEMS[kind].status === status) ?? (status < 500 ? 'malformed-request' : 'internal');
}
