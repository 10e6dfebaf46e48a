/** What the command's exit status says. Asserted against the help text. */
export const EXIT = {
  ok: 0,
  /** It ran and did not succeed: a check failed, a decision was refused, a figure was not met. */
  failed: 1,
  /** The command itself was wrong: an unknown option, a missing file, an invalid lazaret.yaml. */
  usage: 2,
  /** No station answers. */
  unreachable: 3,
} as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence for people, and the status that scripts go by. */
export class CommandError extends Error {
  readonly status: ExitStatus;
  readonly code: string | null;
  constructor(status: ExitStatus, message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'CommandError';
    this.status = status;
    this.code = options.code ?? null;
  }
}
