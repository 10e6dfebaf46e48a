import type { OpenedBundle } from './opened.ts';
import { messageOf, type Part } from './part.ts';

export type Outcome =
  | { readonly passed: true; readonly detail: string }
  | { readonly passed: false; readonly detail: string; readonly place: string };

/** One check. `promise` is what may be relied upon once it passes. */
export interface Check {
  readonly id: string;
  readonly promise: string;
  run(bundle: OpenedBundle): Outcome;
}

export interface CheckResult {
  readonly id: string;
  readonly promise: string;
  readonly passed: boolean;
  readonly detail: string;
  /** The file of the bundle that fails; null where the check passed. */
  readonly place: string | null;
}

export const passed = (detail: string): Outcome => ({ passed: true, detail });
export const failed = (place: string, detail: string): Outcome => ({ passed: false, place, detail });

/** Stops a check that needs a part which cannot be read. */
class Unreadable extends Error {
  readonly place: string;
  constructor(place: string, message: string) {
    super(message);
    this.place = place;
  }
}

export function need<T>(part: Part<T>): T {
  if ('wrong' in part) throw new Unreadable(part.place, `${part.place}: ${part.wrong}`);
  return part.value;
}

/** Runs a check on whatever an attacker made of the bundle: what it throws is a failed check, never the verifier's end. */
export function perform(check: Check, bundle: OpenedBundle): CheckResult {
  const { id, promise } = check;
  let outcome: Outcome;
  try {
    outcome = check.run(bundle);
  } catch (error) {
    outcome =
      error instanceof Unreadable
        ? failed(error.place, error.message)
        : failed('the bundle', `could not be checked: ${messageOf(error)}`);
  }
  return { id, promise, passed: outcome.passed, detail: outcome.detail, place: outcome.passed ? null : outcome.place };
}
