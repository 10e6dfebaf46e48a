import type { RecoverActivities } from '../domain/contracts/activities.ts';
import { hexOf } from '../domain/proofs/digest.ts';
import { DOCUMENTS } from '../evidence/ports.ts';
import { signStatement } from '../evidence/statements/statement.ts';
import { trainingProvenance } from '../evidence/statements/provenance.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function createRecoverActivities(deps: Pick<ActivityDependencies, 'store' | 'signers'>): RecoverActivities {
  return {
    recordProvenance: async ({ job, result, builder }) => {
      const key = DOCUMENTS.provenance(hexOf(result.artifact.digest));
      const envelope = signStatement(trainingProvenance({ job, result, builder }), deps.signers.registry);
      // The first provenance of an artifact stands: a second run that ends with the same bytes does not rewrite where they came from.
      await deps.store.writeDocument(key, envelope, 'application/vnd.in-toto+json', null);
      const kept = await deps.store.readDocument(key);
      const bytes = kept?.bytes ?? envelope;
      return {
        provenance: await deps.store.put('evidence', bytes, {
          mediaType: 'application/vnd.in-toto+json',
          name: 'provenance.json',
        }),
      };
    },
  };
}
