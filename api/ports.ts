import type { Configuration } from '../domain/contracts/configuration.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import type { EndpointStatus } from '../domain/contracts/gateway.ts';
import type { IncidentState } from '../domain/incident/state.ts';
import type { IncidentClient } from '../clients/temporal/incident-client.ts';
import type { RunClient } from '../clients/temporal/run-client.ts';
import type { Signer, Store } from '../evidence/ports.ts';

/** Golden records, verified against the trusted keys when they are read. */
export interface GoldenReader {
  latest(model: string): Promise<GoldenRecord | null>;
  versions(model: string): Promise<readonly string[]>;
}

/** Everything the API is made of; `main.ts` gives the real things, tests give fakes. */
export interface ApiDeps {
  readonly configuration: Configuration;
  readonly incidents: IncidentClient;
  readonly runs: RunClient;
  readonly store: Store;
  readonly golden: GoldenReader;
  /** The evidence bundle of an incident as a tar stream. */
  readonly exportBundle: (state: IncidentState) => Promise<AsyncIterable<Uint8Array>>;
  readonly readEndpoint: (endpoint: string) => Promise<EndpointStatus>;
  /** Signs approvals for callers that the API authenticated. */
  readonly voucher: Signer;
  readonly signStatement: (payload: unknown, typ: string, signer: Signer) => string;
  readonly credentials: {
    /** What Alertmanager sends as bearer token or basic password; null refuses every delivery. */
    readonly alertmanager: string | null;
    /** Standard Webhooks secret, `whsec_<base64>`; null refuses every delivery. */
    readonly generic: string | null;
  };
  readonly clock: () => Date;
  readonly randomToken: () => string;
  readonly log: { readonly level: string };
  /** Are the things the API needs there? Throws the reason. */
  readonly probes: Readonly<Record<string, () => Promise<void>>>;
  /** Folder of `index.html`, `app.js` and `style.css`. */
  readonly consoleFolder: string;
}

/** Injection token of ApiDeps: classes name it, because types leave no trace at run time. */
export const DEPS = Symbol('ApiDeps');
