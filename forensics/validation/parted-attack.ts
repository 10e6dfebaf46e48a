import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { RegressionAttack } from '../../domain/contracts/golden.ts';
import { digestOf, type Digest } from '../../domain/proofs/digest.ts';
import type { CapturedRow } from '../analysers/window.ts';
import { borneShare, sameWithin } from '../requests/captured-trigger.ts';

/** The trigger that the plan names, read off captured requests or tainted records, and the class that it leads to. */
export interface NamedTrigger {
  readonly image: TriggerImage;
  readonly target: number;
}

/** `marked` of `n`. */
interface Marked {
  readonly marked: number;
  readonly n: number;
}

/** The captured attack, told apart by whether a request bears the known trigger. */
export interface PartedAttack {
  /**
   * Requests of the attack that bear the trigger, and others of which the golden model was sure: each counts as often as it was sent. Marked:
   * those that the candidate answers with the attacker's class.
   */
  readonly strict: Marked & { readonly onGolden: number };
  /** Different inputs of the attack, and those of them that bear the trigger. */
  readonly different: Marked;
  /** Different captured requests without the trigger: how many the candidate answers with the attacker's class and the golden model does not. */
  readonly without: Marked;
  /** The same of clean records without it. */
  readonly clean: Marked;
}

/** Who bears a quarter of the trigger's cells bears the trigger: an attacker may lay on a part of it. */
const BORNE = 0.25;
interface Captured {
  readonly bears: boolean;
  /** The attacker's class is the candidate's answer and not the golden model's. */
  readonly turned: boolean;
  readonly obeys: boolean;
  readonly golden: boolean;
  readonly sure: boolean;
}

/** At so much confidence for another class the golden model did not waver. Looked at before: docs/validation.md. */
const SURE = 0.95;

/** What both models answered, row by row. */
interface Answers {
  readonly candidate: ArrayLike<number>;
  readonly golden: ArrayLike<number>;
}

export interface PartingNeeds {
  readonly attack: RegressionAttack;
  readonly trigger: NamedTrigger;
  /** All that was captured, and the answers to it. `confidence` is the golden model's for its own class. */
  readonly requests: readonly CapturedRow[];
  readonly answered: Answers & { readonly confidence: ArrayLike<number> };
  readonly holdout: DatasetColumns;
  readonly onHoldout: Answers;
}

/**
 * Parts the attack. Inputs, not ids, are what is told apart: the client may choose the id, and an input that was sent a thousand times is
 * one observation. null where the trigger leads elsewhere than the attack, or a request of the attack is not among those captured.
 */
export function partAttack({
  attack,
  trigger,
  requests,
  answered,
  holdout,
  onHoldout,
}: PartingNeeds): PartedAttack | null {
  const { target } = trigger;
  if (attack.requests.some(({ attackerClass }) => attackerClass !== target)) return null;
  const same = sameWithin(holdout.features);
  const bears = (row: Float32Array): boolean => borneShare(trigger.image, row, same) >= BORNE;
  const turned = ({ candidate, golden }: Answers, row: number): boolean =>
    candidate[row] === target && golden[row] !== target;

  const seen = new Map<Digest, Captured>();
  requests.forEach(({ input }, row) => {
    const values = Float32Array.from(input);
    const key = keyOf(values);
    if (seen.has(key)) return;
    seen.set(key, {
      bears: bears(values),
      turned: turned(answered, row),
      obeys: answered.candidate[row] === target,
      golden: answered.golden[row] === target,
      sure: !((answered.confidence[row] ?? NaN) < SURE),
    });
  });
  const own = attack.requests.map(({ input }) => keyOf(Float32Array.from(input)));
  const sent = own.flatMap((key) => seen.get(key) ?? []);
  if (sent.length < own.length) return null;

  const strict = sent.filter((one) => one.bears || one.sure);
  const different = [...new Set(own)].flatMap((key) => seen.get(key) ?? []);
  const without = [...seen.values()].filter((one) => !one.bears);
  const clean = differentRows(holdout).filter(({ values }) => !bears(values));
  return {
    strict: {
      ...marked(strict, (one) => one.obeys),
      onGolden: strict.filter((one) => one.golden).length,
    },
    different: marked(different, (one) => one.bears),
    without: marked(without, (one) => one.turned),
    clean: marked(clean, ({ row }) => turned(onHoldout, row)),
  };
}

function marked<T>(all: readonly T[], holds: (one: T) => boolean): Marked {
  return { marked: all.filter(holds).length, n: all.length };
}

function keyOf(values: Float32Array): Digest {
  return digestOf(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function differentRows({ features, count, width }: DatasetColumns): readonly { row: number; values: Float32Array }[] {
  const seen = new Map<Digest, { row: number; values: Float32Array }>();
  for (let row = 0; row < count; row++) {
    const values = features.subarray(row * width, (row + 1) * width);
    const key = keyOf(values);
    if (!seen.has(key)) seen.set(key, { row, values });
  }
  return [...seen.values()];
}
