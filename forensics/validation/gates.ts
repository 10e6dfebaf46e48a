import type { GateResult, GateVerdict, ValidationFigure } from '../../domain/contracts/plan.ts';
import { accuracyGate, agreementGate, recallGate, type OnHoldout } from './accuracy.ts';
import { attackGate } from './attack.ts';
import { calibrationGate } from './calibration.ts';
import { driftGate, MIN_REQUESTS, type Answered } from './drift.ts';
import { fairnessGates, type FairnessNeeds, type Grouped } from './fairness.ts';
import { graphGate, weightsGate, type FileNeeds } from './file.ts';
import { latencyFigure, type Latencies } from './latency.ts';
import { memoryFigure, type Memories } from './memory.ts';
import { membershipGate, unknownExposure, type Exposure } from './membership.ts';
import { fireDriftControl } from './planted-drift.ts';
import type { AttackReplay } from './replay.ts';
import { robustnessGate, type Withstood } from './robustness.ts';
import { sliceGate } from './slices.ts';
import { termsOf } from './terms.ts';
import { triggerGate, type TriggerTrial } from './trigger.ts';

export interface ValidationNeeds extends OnHoldout, FileNeeds {
  readonly classes: readonly string[];
  /** The attack of this incident; null where none was captured (then there is none to withstand). */
  readonly attack: AttackReplay | null;
  readonly regressions: readonly AttackReplay[];
  /** null where no trigger was recovered from the suspect. */
  readonly trigger: TriggerTrial | null;
  /** Answers to the captured requests that are not part of the attack; empty where none was captured. */
  readonly requests: Answered;
  /** null where no attribute was declared as protected. */
  readonly fairness: FairnessNeeds['fairness'] | null;
  /** Declared slices, without the protected groups. */
  readonly slices: readonly Grouped[];
  /** Attacks on records of the hold-out; empty where a model could not be run. */
  readonly robustness: readonly Withstood[];
  /** null where it is not on record what the candidate was trained on. */
  readonly exposure: { readonly candidate: Exposure; readonly golden: Exposure } | null;
  readonly latencies: Latencies;
  readonly memories: Memories;
  /** Controls that were fired before, and what is told of those that were not. */
  readonly controls: { readonly gates: readonly GateResult[]; readonly figures: readonly ValidationFigure[] };
}

export interface Judged {
  readonly gates: readonly GateResult[];
  readonly verdict: GateVerdict;
  /** Told beside the gates. */
  readonly figures: readonly ValidationFigure[];
}

/** Gates in the order of the report. Pure: everything was measured before. A gate that cannot be measured never passes. */
export function validate(needs: ValidationNeeds): Judged {
  const { candidate, golden, thresholds, classes } = needs;
  const both = candidate && golden && { candidate: candidate.predicted, golden: golden.predicted };
  const drift = fireDriftControl(golden?.predicted ?? null, classes, thresholds.maxClassMixShift);
  const slices = [...needs.slices, ...(needs.fairness?.attributes ?? [])];
  const unnamed = [
    accuracyGate(needs),
    recallGate(needs),
    calibrationGate(needs),
    agreementGate(needs),
    driftGate('drift-holdout', both, classes, thresholds.maxClassMixShift),
    ...(needs.requests.golden.length >= MIN_REQUESTS
      ? [driftGate('drift-requests', needs.requests, classes, thresholds.maxClassMixShift)]
      : []),
    ...(needs.fairness ? fairnessGates({ ...needs, fairness: needs.fairness }) : []),
    ...(slices.length > 0 ? [sliceGate(needs, slices)] : []),
    ...(needs.attack ? [attackGate('captured-attack', 'Captured attack fails', needs.attack, needs)] : []),
    ...needs.regressions.map((past) =>
      attackGate(`regression:${past.incident}`, `Attack of ${past.incident} fails`, past, needs),
    ),
    ...(needs.trigger ? [triggerGate(needs.trigger, thresholds.maxTriggerGain)] : []),
    ...needs.robustness.map((withstood) => robustnessGate(withstood, thresholds.maxRobustDropPp)),
    ...(needs.exposure ? [membershipGate(needs.exposure, thresholds.maxMembershipAuc)] : []),
    graphGate(needs),
    weightsGate(needs),
    ...needs.controls.gates,
    ...('gate' in drift ? [drift.gate] : []),
  ];
  const gates = unnamed.map((gate) => ({ ...gate, terms: termsOf(gate.id) }));
  return {
    gates,
    verdict: overall(gates),
    figures: [
      ...(needs.exposure ? [] : [unknownExposure()]),
      latencyFigure(needs.latencies),
      memoryFigure(needs.memories),
      ...needs.controls.figures,
      ...('figure' in drift ? [drift.figure] : []),
    ],
  };
}

/** One failure fails all; without a failure, one gate that could not be measured leaves all undecided. */
export function overall(gates: readonly GateResult[]): GateVerdict {
  if (gates.some((gate) => gate.verdict === 'fail')) return 'fail';
  return gates.length === 0 || gates.some((gate) => gate.verdict === 'inconclusive') ? 'inconclusive' : 'pass';
}
