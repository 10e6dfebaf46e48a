import { z } from 'zod';
import type { Examination, ValidateActivities } from '../domain/contracts/activities.ts';
import { examineResultSchema } from '../domain/contracts/examination.ts';
import type { DemandableGate } from '../domain/contracts/gates.ts';
import type { Interval } from '../domain/contracts/interval.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { GateResult, ValidationFigure, ValidationReport } from '../domain/contracts/plan.ts';
import { robustnessResultSchema, type AttackSpaceDocument } from '../domain/contracts/robustness.ts';
import { Failure } from '../domain/incident/failure.ts';
import { CANDIDATE_SCAN_BUDGET_SECONDS } from '../domain/incident/limits.ts';
import { gateSettingsOf } from '../domain/incident/thresholds.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { readDataset } from '../evidence/dataset/read.ts';
import { attackSpace } from '../forensics/validation/attack-space.ts';
import { backdoorScanGate } from '../forensics/validation/backdoor-scan.ts';
import { unmeasured } from '../forensics/validation/gate.ts';
import { overall } from '../forensics/validation/gates.ts';
import { pgdGate, type UnderSquare } from '../forensics/validation/pgd.ts';
import { termsOf } from '../forensics/validation/terms.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { goldenOf } from './examination.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'registry'>;

/** The same search every time: a verdict can be derived again. */
const SEED = 0;

const TITLES: Readonly<Record<DemandableGate, string>> = {
  'robustness:pgd': 'Accuracy under PGD',
  'backdoor-scan': 'No backdoor in the candidate',
};

/** What of a candidate only gradients tell: the jobs for the trainer, and the gates that its answers are weighed in. */
export function createTrialActivities(deps: Needs): Pick<ValidateActivities, 'draftTrials' | 'concludeTrials'> {
  const family = (model: string) => {
    const [found, settings] = [deps.configuration.models[model], gateSettingsOf(deps.configuration, model)];
    if (!found || !settings) throw new Failure('internal/error', `lazaret.yaml declares no model "${model}"`);
    return { ...found, ...settings };
  };

  return {
    draftTrials: async ({ incident, model, candidate }) => {
      const { queue, examinationWaitSeconds: waitSeconds, robustness } = family(model);
      const golden = await goldenOf(deps, model);
      const asked = { queue, waitSeconds };
      if (candidate.digest === golden.ref.artifact.digest)
        return { ...asked, attack: null, examine: null, reason: 'The candidate is the golden model itself.' };
      const { columns, manifest } = await readDataset(deps.store, golden.holdout, deps.keys);
      const { ids, low, high, grid } = attackSpace(columns, manifest.featureShape, robustness);
      const space: AttackSpaceDocument = {
        schema: 'lazaret.attack-space/v1',
        ids: [...ids],
        // Of a picture all pixels have one range.
        low: Array.from(grid.picture ? low.slice(0, 1) : low),
        high: Array.from(grid.picture ? high.slice(0, 1) : high),
      };
      const id = `${incident}-${candidate.digest.slice(7, 19)}`;
      return {
        ...asked,
        reason: '',
        attack: {
          schema: 'lazaret.robustness-job/v1',
          jobId: `${id}-attack`,
          candidate,
          golden: golden.ref.artifact,
          dataset: golden.holdout,
          space: await deps.store.put('artifacts', encoded(space), JSON_FILE('attack-space.json')),
          epsilon: robustness.epsilon,
          steps: robustness.steps,
          restarts: robustness.restarts,
          seed: robustness.seed,
          seconds: robustness.seconds,
        },
        examine: {
          schema: 'lazaret.examine-job/v1',
          jobId: `${id}-scan`,
          question: 'backdoor',
          suspect: candidate,
          golden: golden.ref.artifact,
          probes: golden.holdout,
          seed: SEED,
          seconds: CANDIDATE_SCAN_BUDGET_SECONDS,
        },
      };
    },

    concludeTrials: async ({ model, report, attack, examination }) => {
      const { demands, thresholds, robustness } = family(model);
      const attacked = answer(robustnessResultSchema, attack);
      const scanned = answer(examineResultSchema, examination);
      const square = underSquare(report);
      const pgd =
        'value' in attacked
          ? attacked.value.attacks.map((one) =>
              pgdGate(one, attacked.value, robustness, square, thresholds.maxRobustDropPp),
            )
          : [];
      const scan = 'value' in scanned ? backdoorScanGate(scanned.value) : null;
      const open: Open[] = [
        ...('value' in attacked ? [] : [{ gate: 'robustness:pgd' as const, why: attacked.reason }]),
        ...(scan
          ? []
          : [{ gate: 'backdoor-scan' as const, why: 'value' in scanned ? scanned.value.summary : scanned.reason }]),
      ];
      const demanded = open.filter(({ gate }) => demands.includes(gate));
      const told = open.filter(({ gate }) => !demands.includes(gate));
      const added = [...pgd, ...(scan ? [scan] : []), ...demanded.map(undecided)];
      const gates = [...report.gates, ...added.map((gate) => ({ ...gate, terms: termsOf(gate.id) }))];
      const concluded: ValidationReport = {
        ...report,
        gates,
        verdict: overall(gates),
        figures: [...(report.figures ?? []), ...told.map(figure)],
      };
      const kept = 'value' in scanned ? [scanned.value.report, scanned.value.trigger] : [];
      await Promise.all(kept.map(async (ref) => ref && (await keep(deps, ref))));
      return {
        report: concluded,
        record: await deps.store.put('evidence', encoded(concluded), JSON_FILE('validation.json')),
      };
    },
  };
}

interface Open {
  readonly gate: DemandableGate;
  readonly why: string;
}

const undecided = ({ gate, why }: Open): GateResult =>
  unmeasured(
    { id: gate, title: TITLES[gate], threshold: 'must be decided: an endpoint of this family demands it' },
    why,
  );

const figure = ({ gate, why }: Open): ValidationFigure => ({
  id: gate,
  title: TITLES[gate],
  figure: null,
  golden: null,
  words: `Not decided: ${why}`,
});

/** The trainer's answer, if it keeps the contract. */
function answer<T>(schema: z.ZodType<T>, { result, reason }: Examination): { value: T } | { reason: string } {
  if (result === null) return { reason };
  const parsed = schema.safeParse(result);
  return parsed.success
    ? { value: parsed.data }
    : { reason: `The trainer's answer breaks the contract: ${z.prettifyError(parsed.error).slice(0, 300)}` };
}

function underSquare({ gates }: ValidationReport): UnderSquare | null {
  const gate = gates.find(({ id }) => id === 'robustness:square');
  return isInterval(gate?.figure) && isInterval(gate.golden) ? { candidate: gate.figure, golden: gate.golden } : null;
}

const isInterval = (shown: GateResult['figure'] | undefined): shown is Interval =>
  typeof shown === 'object' && shown !== null;

async function keep(deps: Pick<Needs, 'store'>, ref: ObjectRef): Promise<ObjectRef> {
  return await deps.store.put('evidence', await deps.store.get(ref), { mediaType: ref.mediaType, name: ref.name });
}

const JSON_FILE = (name: string) => ({ mediaType: 'application/json', name });
const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(canonicalJson(value));
