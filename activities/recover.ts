import type { RecoverActivities } from '../domain/contracts/activities.ts';
import { hexOf } from '../domain/proofs/digest.ts';
import { DOCUMENTS } from '../evidence/ports.ts';
import { signStatement } from '../evidence/statements/statement.ts';
import { trainingProvenance } from '../evidence/statements/provenance.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readLineage } from './lineage-records.ts';

const MEDIA_TYPE = 'application/vnd.in-toto+json';

export function createRecoverActivities(
  deps: Pick<ActivityDependencies, 'store' | 'signers' | 'keys'>,
): RecoverActivities {
  return {
    recordProvenance: async ({ job, result, builder }) => {
      const artifact = hexOf(result.artifact.digest);
      const own = DOCUMENTS.provenanceOfRun(artifact, job.jobId);
      const envelope = signStatement(trainingProvenance({ job, result, builder }), deps.signers.registry);
      // Signatures are randomised: the first envelope of a run is kept, so that repeating the step gives the same reference.
      await deps.store.writeDocument(own, envelope, MEDIA_TYPE, null);
      const kept = await deps.store.readDocument(own);
      const bytes = kept?.bytes ?? envelope;
      // A second run that ends with the same bytes does not rewrite where they first came from. What does not verify never came from a run.
      const first = await deps.store.readDocument(DOCUMENTS.provenance(artifact));
      if (!first || !(await readLineage(deps, result.artifact.digest))) {
        await deps.store.writeDocument(DOCUMENTS.provenance(artifact), bytes, MEDIA_TYPE, first?.etag ?? null);
      }
      return {
        provenance: await deps.store.put('evidence', bytes, {
          mediaType: MEDIA_TYPE,
          name: 'provenance.json',
        }),
      };
    },
  };
}
