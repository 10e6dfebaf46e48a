import type { PlanActivities } from '../domain/contracts/activities.ts';
import type { Plan } from '../domain/contracts/plan.ts';
import { Failure } from '../domain/incident/failure.ts';
import { propose } from '../domain/incident/playbooks.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readLineage } from './lineage-records.ts';
import { answeringModel } from './preserve.ts';

/** Where lazaret.yaml gives no budget: generous for small models, and still an end. */
const DEFAULT_BUDGET = { seconds: 3600, steps: 100_000 } as const;

export function createPlanActivities(
  deps: Pick<ActivityDependencies, 'configuration' | 'registry' | 'store' | 'keys'>,
): PlanActivities {
  return {
    draftPlan: async ({ subject, findings, attempt }) => {
      const golden = await deps.registry.latest(subject.model);
      if (!golden)
        throw new Failure(
          'golden/missing',
          `no golden record of ${subject.model} is registered: nothing can be restored or retrained from`,
        );
      const suspect = subject.capture.modelDigest ?? golden.ref.artifact.digest;
      const proposal = propose(findings);
      const base = {
        schema: 'lazaret.plan/v1',
        incident: subject.incident,
        attempt,
        endpoint: subject.endpoint,
        model: subject.model,
        suspect,
        checkpoint: golden.ref,
        reasons: proposal.reasons,
      } as const;

      const plan = async (): Promise<Plan> => {
        const previous = answeringModel(subject.receipt.before.stance);
        if (proposal.remedy === 'resume' && previous) return { ...base, action: 'resume', previous };
        const records = findings.find((finding) => finding.detail?.analyser === 'training-records')?.detail;
        const lineage = await readLineage(deps, suspect);
        if (proposal.remedy === 'retrain' && lineage && records?.analyser === 'training-records' && records.list) {
          const model = deps.configuration.models[subject.model];
          return {
            ...base,
            action: 'retrain',
            dataset: lineage.dataset,
            drop: { list: records.list, count: records.count },
            objective: 'standard',
            hyperparameters: { ...golden.hyperparameters, ...model?.hyperparameters },
            budget: { ...DEFAULT_BUDGET, ...model?.budget },
            queue: model?.queue ?? 'trainer',
          };
        }
        return { ...base, action: 'restore' };
      };

      const drafted = await plan();
      const bytes = new TextEncoder().encode(canonicalJson(drafted));
      return {
        plan: drafted,
        record: await deps.store.put('evidence', bytes, { mediaType: 'application/json', name: 'plan.json' }),
      };
    },
  };
}
