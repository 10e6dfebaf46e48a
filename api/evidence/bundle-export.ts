import type { TrustRoot } from '../../domain/contracts/approval.ts';
import type { TrustFile } from '../../domain/contracts/trust.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { exportBundle } from '../../evidence/bundle/export.ts';
import type { Signer, Store } from '../../evidence/ports.ts';
import { Problem } from '../problem.ts';

/**
 * Exports what the workflow says is the case. `signer` is a key of use `bundle` of the API's own (`export.pem`), not the response worker's:
 * a bundle then tells which process sealed it. Without one a bundle could not be sealed, so there is none.
 */
export function createBundleExport(deps: {
  readonly store: Store;
  readonly signer: Signer | null;
  readonly trust: { readonly machines: TrustFile; readonly people: TrustRoot };
  readonly clock: () => Date;
}): (state: IncidentState) => Promise<AsyncIterable<Uint8Array>> {
  return async (state) => {
    const { store, signer, trust, clock } = deps;
    if (signer === null) {
      throw new Problem(
        'unavailable',
        'This API has no export.pem (a key of use bundle) in LAZARET_KEYS_DIR, so it cannot seal a bundle.',
      );
    }
    const { incident, endpoint, checkpointed, release } = state;
    if (checkpointed === null) {
      throw new Problem(
        'conflict',
        'No checkpoint of the case log is signed yet; the first one is signed when the plan is drawn up.',
      );
    }
    const closed = state.status === 'closed';
    return exportBundle(store, signer, trust, {
      incident,
      endpoint,
      outcome: closed ? state.outcome : null,
      head: checkpointed,
      release: release ? { subject: release.subject, ref: release.ref, provenance: release.provenance } : null,
      // The time of a closed case is its own, so that exporting it twice gives the same bytes.
      createdAt: closed ? new Date(state.closedAt) : clock(),
    });
  };
}
