/** What the inference surface answers when it does not answer: RFC 9457, with the `error` member that OIP v2 clients look for. */
const KINDS = {
  'malformed-request': { status: 400, title: 'The request is not what the model takes' },
  'not-allowed': { status: 403, title: 'This is not done here' },
  blocked: { status: 403, title: 'This client is not answered' },
  limited: { status: 429, title: 'The endpoint answers within limits' },
  'not-found': { status: 404, title: 'There is no such thing here' },
  'too-large': { status: 413, title: 'The body is too large' },
  'model-failed': { status: 500, title: 'The model failed on this request' },
  isolated: { status: 503, title: 'The endpoint is isolated' },
  overloaded: { status: 503, title: 'Too many requests wait' },
} as const;
export type InferenceProblemKind = keyof typeof KINDS;

/** `detail` is for the client: no path, no stack, nothing about the incident but the reason that the order gives. */
export class InferenceProblem extends Error {
  readonly kind: InferenceProblemKind;
  /** Seconds after which asking again makes sense, for `Retry-After`. */
  readonly retryAfter: number | null;
  constructor(kind: InferenceProblemKind, detail: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.name = 'InferenceProblem';
    this.kind = kind;
    this.retryAfter = options.retryAfter ?? null;
  }
  get status(): number {
    return KINDS[this.kind].status;
  }
  document(): { type: string; title: string; status: number; detail: string; error: string } {
    const { title } = KINDS[this.kind];
    return {
      type: `urn:lazaret:problem:${this.kind}`,
      title,
      status: this.status,
      detail: this.message,
      error: this.message,
    };
  }
}

export function malformed(detail: string): InferenceProblem {
  return new InferenceProblem('malformed-request', detail);
}
