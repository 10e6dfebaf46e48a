import type { Configuration } from '../domain/contracts/configuration.ts';
import type { EndpointAdapter } from '../domain/contracts/endpoint-adapter.ts';
import type { TrustRoot } from '../domain/contracts/approval.ts';
import { Failure } from '../domain/incident/failure.ts';
import type { GoldenRegistry } from '../evidence/golden/registry.ts';
import type { Signer, Store, TrustedKey } from '../evidence/ports.ts';
import type { GoldenCache } from './golden-cache.ts';

/** Everything the activities need of the world, handed in by `workers/response.ts` (and by tests). */
export interface ActivityDependencies {
  readonly configuration: Configuration;
  readonly trustRoot: TrustRoot;
  /** The machines' public keys (`trust.json`). */
  readonly keys: readonly TrustedKey[];
  readonly signers: {
    /** Ed25519, use `stance:respond`. */
    readonly responder: Signer;
    /** P-256, uses `model`, `dataset`, `provenance`, `golden`. */
    readonly registry: Signer;
    /** Ed25519, use `case-log`. */
    readonly caseLog: Signer;
  };
  readonly store: Store;
  readonly registry: GoldenRegistry;
  readonly golden: GoldenCache;
  /** The adapter that reaches an endpoint of lazaret.yaml. */
  adapter(endpoint: string): EndpointAdapter;
  /** Sends one inference request through the endpoint's own front door. */
  infer(endpoint: string, rows: readonly (readonly number[])[], shape: readonly number[]): Promise<{ status: number }>;
  notify(message: { incident: string; endpoint: string; subject: string; body: string }): Promise<void>;
  now(): Date;
}

export function endpointOf(
  deps: Pick<ActivityDependencies, 'configuration'>,
  endpoint: string,
): Configuration['endpoints'][string] {
  const found = deps.configuration.endpoints[endpoint];
  if (found) return found;
  const known = Object.keys(deps.configuration.endpoints).join(', ');
  throw new Failure(
    'endpoint/unknown',
    `lazaret.yaml declares no endpoint "${endpoint}"; it declares ${known || 'none'}`,
  );
}
