/** One labelled record, as a flat row. */
export interface Sample {
  readonly id: string;
  readonly features: readonly number[];
  /** Index into the task's classes. */
  readonly label: number;
}

/** Real data, cut so that no record is in two parts. */
export interface Split {
  /** What the golden model is trained on. */
  readonly history: readonly Sample[];
  /** What arrives later in one ingestion batch, before the attacker had it in hand. */
  readonly arrival: readonly Sample[];
  /** Clean and never trained on; Lazaret evaluates and profiles with it. */
  readonly holdout: readonly Sample[];
  /** The drill's own: traffic and the measurement of the outcome. */
  readonly secret: readonly Sample[];
}

/** What a drill's model is for: a family and three endpoints of lazaret.yaml, and the form of its records. */
export interface Task {
  readonly model: string;
  /** Endpoints that will serve a model trained on the tainted batch, and one that will not. The alert names the first. */
  readonly victims: readonly [string, ...string[]];
  readonly bystander: string;
  readonly classes: readonly string[];
  readonly featureShape: readonly number[];
  /** One sentence on where the data is from. */
  readonly source: string;
}
