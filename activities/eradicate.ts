import { z } from 'zod';
import type { EradicateActivities } from '../domain/contracts/activities.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { excludeRecords } from '../evidence/dataset/exclude.ts';
import { readManifest } from '../evidence/dataset/read.ts';
import type { ActivityDependencies } from './dependencies.ts';

const idsSchema = z.array(z.string()).min(1);

export function createEradicateActivities(
  deps: Pick<ActivityDependencies, 'store' | 'keys' | 'signers' | 'now'>,
): EradicateActivities {
  return {
    sanitizeDataset: async ({ incident, dataset, drop }) => {
      const manifest = await readManifest(deps.store, dataset, deps.keys);
      const ids = idsSchema.safeParse(JSON.parse(new TextDecoder().decode(await deps.store.get(drop.list))));
      if (!ids.success || ids.data.length !== drop.count) {
        throw new Failure('dataset/invalid', `the list of records to drop is not a JSON array of ${drop.count} ids`);
      }
      const excluded = await excludeRecords(deps.store, deps.signers.registry, dataset, manifest, ids.data, {
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
