import { z } from 'zod';
import type { EradicateActivities } from '../domain/contracts/activities.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { excludeRecords } from '../evidence/dataset/exclude.ts';
import { readManifest } from '../evidence/dataset/read.ts';
import type { ActivityDependencies } from './dependencies.ts';

const idsSchema = z.array(z.string()).min(1);

/** The ids of a plan's list. Fails with `dataset/invalid` where it is no list of as many ids as the plan names. */
export async function readTaintedIds(
  deps: Pick<ActivityDependencies, 'store'>,
  drop: { readonly list: ObjectRef; readonly count: number },
): Promise<readonly string[]> {
  const ids = idsSchema.safeParse(JSON.parse(new TextDecoder().decode(await deps.store.get(drop.list))));
  if (ids.success && ids.data.length === drop.count) return ids.data;
  throw new Failure('dataset/invalid', `the list of records to drop is not a JSON array of ${drop.count} ids`);
}

export function createEradicateActivities(
  deps: Pick<ActivityDependencies, 'store' | 'keys' | 'signers' | 'now'>,
): EradicateActivities {
  return {
    sanitizeDataset: async ({ incident, dataset, drop }) => {
      const manifest = await readManifest(deps.store, dataset, deps.keys);
      const ids = await readTaintedIds(deps, drop);
      const excluded = await excludeRecords(deps.store, deps.signers.registry, dataset, manifest, ids, {
        createdBy: `incident ${incident}`,
        // A repeated step must make the same manifest, so its time is the parent's and not the clock's.
        createdAt: manifest.createdAt,
      });
      const diff = await deps.store.put('evidence', new TextEncoder().encode(canonicalJson(excluded.diff)), {
        mediaType: 'application/json',
        name: 'dataset-diff.json',
      });
      return { dataset: excluded.dataset, diff, dropped: excluded.diff.dropped, kept: excluded.diff.kept };
    },
  };
}
