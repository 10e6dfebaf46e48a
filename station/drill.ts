import type { RunningStation } from './describe.ts';

/** One figure of an outcome, as it stands in the `--json` line of the demo and the benches. */
export interface Figure {
  readonly name: string;
  readonly value: number | boolean | string;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
  /** At 95 %, where the figure has one. */
  readonly interval?: readonly [number, number];
}

/** Something worth a line while a drill runs. */
export interface DrillEvent {
  readonly at: string;
  readonly text: string;
}

export interface DrillOutcome {
  /** Everything was met. */
  readonly ok: boolean;
  readonly figures: readonly Figure[];
  /** Where the report and the evidence bundle lie; null where the drill did not come that far. */
  readonly report: string | null;
  readonly bundle: string | null;
  /** The failure's code where it fell short. */
  readonly code?: string;
  readonly message?: string;
}

export interface DrillOptions {
  /** One of the drill's data sets; null leaves the choice to the drill. */
  readonly data: string | null;
  /** Draws the parts of the data, the networks' first weights and the attacker's class; a whole number from 0 to 2³² − 1. Null: the drill's own. */
  readonly seed: number | null;
}

/**
 * An attack on a station of one's own, and what Lazaret makes of it. A drill goes in by the same doors as everybody: `lazaret.yaml`, the
 * inference surface, the webhook. No other room may reach what a drill knows.
 */
export interface Drill {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The data sets it can be played with, by name; the first where nothing else is at hand. */
  readonly data: readonly [string, ...string[]];
  run(station: RunningStation, report: (event: DrillEvent) => void, options: DrillOptions): Promise<DrillOutcome>;
}
