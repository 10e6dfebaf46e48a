/** One answered request as the sentinels see it. Arrays are only read, and nothing of them is kept but copies. */
export interface SentinelEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who asked, as the gateway knows him; an attacker may have as many names as he likes. */
  readonly client: string;
  readonly latencyUs: number;
  /** Whether the model answered. Where it did not, there is no `answer`. */
  readonly ok: boolean;
  readonly answer?: Answer;
  /** The class that the other model gave to the same input, where traffic is mirrored. */
  readonly mirrored?: number;
  /** Protected attributes of the record, where the endpoint declares them: `{ sex: 'f' }`. */
  readonly protected?: Readonly<Record<string, string>>;
}

export interface Answer {
  /** One row of inputs, flat. Float32, so that values are compared as the hold-out's were. */
  readonly features: Float32Array;
  /** The model's own scores; equal to `probabilities` where it answers with a distribution. */
  readonly scores: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
  /** The class of the greatest probability, and that probability. */
  readonly predicted: number;
  readonly confidence: number;
}

/** A label that came back for an answer given before. */
export interface Feedback {
  readonly at: number;
  readonly client: string;
  readonly confidence: number;
  readonly predicted: number;
  readonly label: number;
}
