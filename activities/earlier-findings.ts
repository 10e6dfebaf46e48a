import type { AnalyserName, Finding } from '../domain/contracts/finding.ts';
import { regressionAttackSchema, type RegressionAttack } from '../domain/contracts/golden.ts';
import type { RecoveredTrigger } from '../forensics/requests/excision.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { triggerOf } from './examine-on-trainer.ts';

type Needs = Pick<ActivityDependencies, 'store'>;

/** Requests of the attack that was seen at work; none where none was. */
export async function capturedAttack(deps: Needs, earlier: readonly Finding[]): Promise<RegressionAttack['requests']> {
  const detail = earlier.find((finding) => finding.analyser === 'behaviour')?.detail;
  if (detail?.analyser !== 'behaviour' || !detail.attack) return [];
  const bytes = await deps.store.get(detail.attack.requests);
  return regressionAttackSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).requests;
}

export function verdictOf(analyser: AnalyserName, earlier: readonly Finding[]): Finding['verdict'] | undefined {
  return earlier.find((finding) => finding.analyser === analyser)?.verdict;
}

/** As the search for a backdoor recovered it, with its class. */
export async function recoveredTrigger(deps: Needs, earlier: readonly Finding[]): Promise<RecoveredTrigger | null> {
  const detail = earlier.find((finding) => finding.analyser === 'backdoor')?.detail;
  if (detail?.analyser !== 'backdoor' || detail.target === null) return null;
  const image = await triggerOf(deps, detail);
  return image && { image, target: detail.target };
}

/** As it was seen in the captured requests; where nobody used the trigger there, as the search recovered it. */
export function attackTargetOf(earlier: readonly Finding[]): number | null {
  const seen = earlier.find((finding) => finding.analyser === 'behaviour')?.detail;
  if (seen?.analyser === 'behaviour' && seen.attack) return seen.attack.targetClass;
  const searched = earlier.find((finding) => finding.analyser === 'backdoor');
  return searched?.verdict === 'compromised' && searched.detail?.analyser === 'backdoor'
    ? searched.detail.target
    : null;
}

/** Batches that the golden model was not trained on; null where lineage does not know. */
export function newBatchesOf(earlier: readonly Finding[]): readonly string[] | null {
  const detail = earlier.find((finding) => finding.analyser === 'lineage')?.detail;
  return detail?.analyser === 'lineage' && detail.suspectDataset !== null
    ? detail.newBatches.map((batch) => batch.batch)
    : null;
}
