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

/** The secret that each source of alerts proves itself with; where there is none, every delivery is refused. */
export interface IntakeCredentials {
  /** Shared credentials, sent as bearer token or basic password. */
  readonly alertmanager?: string | null;
  readonly datadog?: string | null;
  readonly falco?: string | null;
  readonly kserve?: string | null;
  /** Standard Webhooks secrets, `whsec_<base64>`. */
  readonly generic?: string | null;
  readonly cloudevents?: string | null;
  readonly evidently?: string | null;
  /** Keys of an HMAC-SHA256, as they are typed at the sender. */
  readonly grafana?: string | null;
  readonly pagerduty?: string | null;
  readonly github?: string | null;
  readonly mlflow?: string | null;
  /** Of the sources that `intake.sources` of lazaret.yaml describes, by name. */
  readonly mapped?: Readonly<Record<string, string>>;
}

export interface SnsPorts {
  /** ARNs of the topics that are listened to; a message of any other is refused. */
  readonly topics: readonly string[];
  /** The signing certificate at a URL whose host was checked, as PEM. */
  readonly certificate: (url: string) => Promise<string>;
  /** Visits the address that confirms a subscription. */
  readonly confirm: (url: string) => Promise<void>;
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
  readonly credentials: IntakeCredentials;
  /** What the verification of Amazon SNS needs; null refuses every delivery. */
  readonly sns: SnsPorts | null;
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
