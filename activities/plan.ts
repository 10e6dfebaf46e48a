import type { AnalysisSubject, PlanActivities } from '../domain/contracts/activities.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import type { KnownTrigger, Plan } from '../domain/contracts/plan.ts';
import { Failure } from '../domain/incident/failure.ts';
import { propose } from '../domain/incident/playbooks.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { circumstancesOf, type Looked } from './circumstances.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { answeringModel } from './preserve.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'registry' | 'store' | 'keys'>;

/** Where lazaret.yaml gives no budget: generous for small models, and still an end. */
const DEFAULT_BUDGET = { seconds: 3600, steps: 100_000 } as const;

export function createPlanActivities(deps: Needs): PlanActivities {
  return {
    draftPlan: async ({ subject, findings, attempt }) => {
      const golden = await deps.registry.latest(subject.model);
      if (!golden)
        throw new Failure(
          'golden/missing',
          `no golden record of ${subject.model} is registered: nothing can be restored or retrained from`,
        );
      const plan = draft(
        deps,
        { subject, findings, attempt, golden },
        await circumstancesOf(deps, subject, golden, findings),
      );
      const bytes = new TextEncoder().encode(canonicalJson(plan));
      return {
        plan,
        record: await deps.store.put('evidence', bytes, { mediaType: 'application/json', name: 'plan.json' }),
      };
    },
  };
}

interface Case {
  readonly subject: AnalysisSubject;
  readonly findings: readonly Finding[];
  readonly attempt: number;
  readonly golden: GoldenRecord;
}

/** The proposal with everything it needs; where a part is missing after all, the golden model is put back. */
function draft(deps: Needs, { subject, findings, attempt, golden }: Case, looked: Looked): Plan {
  const { remedy, reasons } = propose(findings, looked.circumstances);
  const { trigger } = looked;
  const base = {
    schema: 'lazaret.plan/v1',
    incident: subject.incident,
    attempt,
    endpoint: subject.endpoint,
    model: subject.model,
    suspect: subject.capture.modelDigest ?? golden.ref.artifact.digest,
    checkpoint: golden.ref,
    reasons,
  } as const;
  const family = deps.configuration.models[subject.model];
  const training = {
    hyperparameters: { ...golden.hyperparameters, ...family?.hyperparameters },
    budget: { ...DEFAULT_BUDGET, ...family?.budget },
    queue: family?.queue ?? 'trainer',
  };
  const unlearning = (known: KnownTrigger) => ({
    objective: 'unlearn' as const,
    options: { ...family?.retraining, unlearn: { triggers: [known.image] } },
    trigger: known,
  });

  switch (remedy) {
    case 'retrain': {
      const records = findings.find((finding) => finding.detail?.analyser === 'training-records')?.detail;
      if (!looked.dataset || records?.analyser !== 'training-records' || !records.list) break;
      return {
        ...base,
        action: 'retrain',
        dataset: looked.dataset,
        drop: { list: records.list, count: records.count },
        ...training,
        ...(trigger
          ? unlearning(trigger)
          : { objective: 'standard', ...(family?.retraining && { options: family.retraining }) }),
      };
    }
    case 'unlearn': {
      if (!trigger || !subject.capture.model) break;
      return {
        ...base,
        action: 'unlearn',
        base: subject.capture.model,
        dataset: golden.dataset,
        ...training,
        ...unlearning(trigger),
      };
    }
    case 'resume': {
      const previous = answeringModel(subject.receipt.before.stance);
      if (!previous) break;
      return { ...base, action: 'resume', previous };
    }
    case 'restore':
      break;
  }
  return { ...base, action: 'restore' };
}
